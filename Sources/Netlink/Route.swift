/// An IPv4 or IPv6 route: RTM_NEWROUTE, `struct rtmsg` and the RTA_ attributes of <linux/rtnetlink.h>.
public struct Route: DumpedValue {
    /// One way that a route goes.
    public struct NextHop: Hashable, Sendable {
        /// The number of the interface that packets leave through (RTA_OIF).
        public var interface: Int32?
        /// The router that they are given to (RTA_GATEWAY, RTA_VIA); nil when the destination is on the link itself.
        public var gateway: IPAddress?

        /// Makes a way of what is known.
        public init(interface: Int32?, gateway: IPAddress? = nil) {
            self.interface = interface
            self.gateway = gateway
        }
    }

    /// Where it leads; of length 0 for a default route.
    public var destination: IPPrefix
    /// The number of the routing table that it is in: 254 is `main`, 255 `local`.
    public var table: UInt32
    /// What happens to packets (RTN_*): 1 is unicast, 2 local delivery, 6 a black hole.
    public var kind: Kind
    /// Who made it (RTPROT_*): 2 the kernel, 3 an administrator, 4 a static configuration, 9 IPv6's router advertisements.
    public var origin: Origin
    /// Which of several with one destination comes first: the lowest (RTA_PRIORITY).
    public var metric: UInt32
    /// The ways that it goes: several when it is multipath (RTA_MULTIPATH), none when it leads nowhere.
    public var nextHops: [NextHop]
    /// The nexthop object that says where it goes (RTA_NH_ID); the kernel repeats that in the route, unless
    /// net.ipv4.nexthop_compat_mode is 0.
    public var nextHopObject: UInt32?
    /// Whether the kernel made it up for one destination on the way of packets (RTM_F_CLONED): a cache, no route.
    public var isCached: Bool

    /// RT_TABLE_MAIN.
    public static let mainTable: UInt32 = 254

    /// RTN_* of <linux/rtnetlink.h>.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// The kernel's number.
        public var rawValue: UInt8
        /// Makes a kind of the kernel's number.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// RTN_UNICAST: sends on.
        public static let unicast = Kind(rawValue: 1)
        /// RTN_LOCAL: is for this host.
        public static let local = Kind(rawValue: 2)
    }

    /// RTPROT_* of <linux/rtnetlink.h>.
    public struct Origin: RawRepresentable, Hashable, Sendable {
        /// The kernel's number.
        public var rawValue: UInt8
        /// Makes an origin of the kernel's number.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// RTPROT_KERNEL: what an address brings with it.
        public static let kernel = Origin(rawValue: 2)
        /// RTPROT_BOOT: added by hand.
        public static let boot = Origin(rawValue: 3)
    }

    /// Makes a route of what is known.
    public init(
        destination: IPPrefix, nextHops: [NextHop], table: UInt32 = Route.mainTable, kind: Kind = .unicast,
        origin: Origin = .boot, metric: UInt32 = 0, nextHopObject: UInt32? = nil, isCached: Bool = false
    ) {
        self.destination = destination
        self.nextHops = nextHops
        self.table = table
        self.kind = kind
        self.origin = origin
        self.metric = metric
        self.nextHopObject = nextHopObject
        self.isCached = isCached
    }
}

extension Route {
    /// RTM_GETROUTE.
    public static var dump: NetlinkDump { .route }

    /// The size of `struct rtmsg`.
    static let headerSize = 12

    /// RTA_*.
    public enum Key {
        /// RTA_DST.
        public static let destination: UInt16 = 1
        /// RTA_OIF.
        public static let interface: UInt16 = 4
        /// RTA_GATEWAY.
        public static let gateway: UInt16 = 5
        /// RTA_PRIORITY.
        public static let metric: UInt16 = 6
        /// RTA_MULTIPATH.
        public static let multipath: UInt16 = 9
        /// RTA_TABLE.
        public static let table: UInt16 = 15
        /// RTA_VIA: a gateway of either family.
        public static let via: UInt16 = 18
        /// RTA_NH_ID.
        public static let nextHopObject: UInt16 = 30
    }

    /// RTM_F_CLONED.
    private static let cloned: UInt32 = 0x200

    /// Reads a route from an RTM_NEWROUTE message. Nil for a family other than IPv4 and IPv6: MPLS, multicast routing.
    ///
    /// - Throws: what makes no sense in it, such as an address of the other family's size.
    public init?(_ message: NetlinkMessage) throws(NetlinkError) {
        // family, destination's and source's length, type of service, table, protocol, scope, type (1 byte each), flags (4)
        var attributes = try message.attributes(after: Self.headerSize)
        let body = message.body
        guard let family = AddressFamily(body), let length = body.native(UInt8.self, at: 1),
            let table = body.native(UInt8.self, at: 4), let origin = body.native(UInt8.self, at: 5),
            let kind = body.native(UInt8.self, at: 7), let flags = body.native(UInt32.self, at: 8)
        else { return nil }
        guard let everywhere = IPPrefix(family.unspecified, length: Int(length)) else {
            throw NetlinkError(.shortMessage(message.type), at: message.offset)
        }
        self.init(
            destination: everywhere, nextHops: [], table: UInt32(table), kind: Kind(rawValue: kind),
            origin: Origin(rawValue: origin), isCached: flags & Self.cloned != 0)
        var single = NextHop(interface: nil)
        while let attribute = try attributes.next() {
            switch attribute.type {
            case Key.destination:
                destination = IPPrefix(try family.address(attribute), length: Int(length)) ?? everywhere
            case Key.interface: single.interface = try attribute.number()
            case Key.metric: metric = try attribute.number()
            case Key.table: self.table = try attribute.number()
            case Key.nextHopObject: nextHopObject = try attribute.number()
            case Key.multipath: try readMultipath(attribute.value, family)
            default: try single.take(attribute, family)
            }
        }
        if nextHops.isEmpty, single != NextHop(interface: nil) { nextHops = [single] }
    }

    /// `struct rtnexthop` (length 2, flags 1, hops 1, interface 4), each with attributes of its own.
    private mutating func readMultipath(_ bytes: ArraySlice<UInt8>, _ family: AddressFamily) throws(NetlinkError) {
        let size = 8
        var rest = bytes
        while !rest.isEmpty {
            guard let length = rest.native(UInt16.self), let interface = rest.native(Int32.self, at: 4),
                Int(length) >= size, Int(length) <= rest.count
            else {
                throw NetlinkError(
                    .attributeLength(rest.native(UInt16.self) ?? UInt16(rest.count)), at: rest.startIndex)
            }
            var hop = NextHop(interface: interface == 0 ? nil : interface)
            var attributes = AttributeReader(rest.prefix(Int(length)).dropFirst(size))
            while let attribute = try attributes.next() { try hop.take(attribute, family) }
            nextHops.append(hop)
            rest = rest.dropping(aligned: Int(length))
        }
    }
}

extension Route.NextHop {
    fileprivate mutating func take(_ attribute: Attribute, _ family: AddressFamily) throws(NetlinkError) {
        switch attribute.type {
        case Route.Key.gateway: gateway = try family.address(attribute)
        case Route.Key.via:
            // `struct rtvia`: a family of two bytes, then the address.
            guard let number = attribute.value.native(UInt16.self) else {
                throw NetlinkError(
                    .attributeValue(type: attribute.type, length: attribute.value.count),
                    at: attribute.value.startIndex - Attribute.headerSize)
            }
            if let via = UInt8(exactly: number).flatMap(AddressFamily.init(rawValue:)) {
                gateway = try via.address(Attribute(type: attribute.type, value: attribute.value.dropFirst(2)))
            }
        default: break
        }
    }
}

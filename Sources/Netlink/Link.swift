/// A network interface: RTM_NEWLINK, `struct ifinfomsg` and the IFLA_ attributes of <linux/if_link.h>.
public struct Link: DumpedValue {
    /// Its number (`ifindex`), in its network namespace.
    public var index: Int32
    /// Its name: `eth0`.
    public var name: String
    /// What it is in ARP's numbers (ARPHRD_*): 1 is Ethernet, 32 InfiniBand, 772 the loopback.
    public var hardwareType: UInt16
    /// IFF_*.
    public var flags: LinkFlags
    /// Its address on the wire (IFLA_ADDRESS): six bytes for Ethernet.
    public var hardwareAddress: [UInt8]
    /// What the kernel's RFC 2863 state machine says of it (IFLA_OPERSTATE).
    public var operationalState: OperationalState
    /// What makes a software interface (IFLA_INFO_KIND): `bond`, `bridge`, `vlan`, `macvlan`, `openvswitch`. Nil for hardware.
    public var kind: String?
    /// What it is a part of (IFLA_INFO_SLAVE_KIND): `bond` for a bond's port.
    public var memberKind: String?
    /// The bond, bridge, team or VRF that it is a part of (IFLA_MASTER).
    public var master: Int32?
    /// The interface that it stands on (IFLA_LINK; IFLA_VXLAN_LINK for VXLAN): a VLAN's, a macvlan's.
    public var lower: Int32?
    /// The id of the network namespace that `lower` is in (IFLA_LINK_NETNSID), when that is another one.
    public var lowerNamespace: Int32?
    /// Other names that it goes by (IFLA_ALT_IFNAME).
    public var alternativeNames: [String] = []
    /// The device that it belongs to (IFLA_PARENT_DEV_NAME, Linux 5.14): `0000:01:00.0`.
    public var parentDevice: String?
    /// The bus of that device (IFLA_PARENT_DEV_BUS_NAME): `pci`, `virtio`.
    public var parentBus: String?

    /// Makes a link of what is known.
    public init(
        index: Int32, name: String, hardwareType: UInt16 = 1, flags: LinkFlags = [], hardwareAddress: [UInt8] = [],
        operationalState: OperationalState = .unknown, kind: String? = nil, master: Int32? = nil, lower: Int32? = nil
    ) {
        self.index = index
        self.name = name
        self.hardwareType = hardwareType
        self.flags = flags
        self.hardwareAddress = hardwareAddress
        self.operationalState = operationalState
        self.kind = kind
        self.master = master
        self.lower = lower
    }
}

/// What an interface is and does: IFF_* of <linux/if.h>.
public struct LinkFlags: OptionSet, Hashable, Sendable {
    /// The kernel's bits.
    public let rawValue: UInt32

    /// Makes a set of the kernel's bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// IFF_UP: switched on.
    public static let up = LinkFlags(rawValue: 0x1)
    /// IFF_LOOPBACK.
    public static let loopback = LinkFlags(rawValue: 0x8)
    /// IFF_POINTOPOINT.
    public static let pointToPoint = LinkFlags(rawValue: 0x10)
    /// IFF_PROMISC: takes in what is not addressed to it.
    public static let promiscuous = LinkFlags(rawValue: 0x100)
    /// IFF_LOWER_UP: there is a signal.
    public static let lowerUp = LinkFlags(rawValue: 0x1_0000)
}

/// RFC 2863's state of an interface: IF_OPER_* of <linux/if.h>.
public struct OperationalState: RawRepresentable, Hashable, Sendable {
    /// The kernel's number.
    public var rawValue: UInt8

    /// Makes a state of the kernel's number.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The driver does not say.
    public static let unknown = OperationalState(rawValue: 0)
    /// Cannot carry packets.
    public static let down = OperationalState(rawValue: 2)
    /// What it stands on is down.
    public static let lowerLayerDown = OperationalState(rawValue: 3)
    /// Waits for something, such as 802.1X.
    public static let dormant = OperationalState(rawValue: 5)
    /// Carries packets.
    public static let up = OperationalState(rawValue: 6)
}

extension Link {
    /// RTM_GETLINK.
    public static var dump: NetlinkDump { .link }

    /// The size of `struct ifinfomsg`.
    static let headerSize = 16

    /// IFLA_*.
    public enum Key {
        /// IFLA_ADDRESS.
        public static let hardwareAddress: UInt16 = 1
        /// IFLA_IFNAME.
        public static let name: UInt16 = 3
        /// IFLA_LINK.
        public static let lower: UInt16 = 5
        /// IFLA_MASTER.
        public static let master: UInt16 = 10
        /// IFLA_OPERSTATE.
        public static let operationalState: UInt16 = 16
        /// IFLA_LINKINFO, in which are the three below.
        public static let info: UInt16 = 18
        /// IFLA_INFO_KIND.
        public static let infoKind: UInt16 = 1
        /// IFLA_INFO_DATA: what depends on the kind.
        public static let infoData: UInt16 = 2
        /// IFLA_INFO_SLAVE_KIND.
        public static let infoMemberKind: UInt16 = 4
        /// IFLA_VXLAN_LINK, in the data of a VXLAN.
        public static let vxlanLower: UInt16 = 3
        /// IFLA_EXT_MASK.
        public static let extendedMask: UInt16 = 29
        /// IFLA_LINK_NETNSID.
        public static let lowerNamespace: UInt16 = 37
        /// IFLA_PROP_LIST, in which are the alternative names.
        public static let properties: UInt16 = 52
        /// IFLA_ALT_IFNAME.
        public static let alternativeName: UInt16 = 53
        /// IFLA_PARENT_DEV_NAME.
        public static let parentDevice: UInt16 = 56
        /// IFLA_PARENT_DEV_BUS_NAME.
        public static let parentBus: UInt16 = 57
    }

    /// Reads an interface from an RTM_NEWLINK message. Nil for what another family says of an interface: a bridge's
    /// AF_BRIDGE messages repeat its ports.
    ///
    /// - Throws: what makes no sense in it.
    public init?(_ message: NetlinkMessage) throws(NetlinkError) {
        // family, padding (1 byte each), type (2), index, flags, change (4 each)
        var attributes = try message.attributes(after: Self.headerSize)
        guard message.body.native(UInt8.self) == 0, let type = message.body.native(UInt16.self, at: 2),
            let index = message.body.native(Int32.self, at: 4), let flags = message.body.native(UInt32.self, at: 8)
        else { return nil }
        self.init(index: index, name: "", hardwareType: type, flags: LinkFlags(rawValue: flags))
        while let attribute = try attributes.next() {
            switch attribute.type {
            case Key.hardwareAddress: hardwareAddress = Array(attribute.value)
            case Key.name: name = attribute.text
            case Key.lower: lower = try Self.index(attribute)
            case Key.master: master = try Self.index(attribute)
            case Key.operationalState: operationalState = OperationalState(rawValue: try attribute.number())
            case Key.info: try readInfo(attribute.nested)
            case Key.lowerNamespace: lowerNamespace = try attribute.number()
            case Key.properties: try readProperties(attribute.nested)
            case Key.parentDevice: parentDevice = attribute.text
            case Key.parentBus: parentBus = attribute.text
            default: break
            }
        }
    }

    /// An interface's number; the kernel's 0 is none.
    private static func index(_ attribute: Attribute) throws(NetlinkError) -> Int32? {
        let index: Int32 = try attribute.number()
        return index == 0 ? nil : index
    }

    private mutating func readInfo(_ info: AttributeReader) throws(NetlinkError) {
        var info = info
        var data: AttributeReader?
        while let attribute = try info.next() {
            switch attribute.type {
            case Key.infoKind: kind = attribute.text
            case Key.infoData: data = attribute.nested
            case Key.infoMemberKind: memberKind = attribute.text
            default: break
            }
        }
        guard kind == "vxlan", var data else { return }
        while let attribute = try data.next() {
            if attribute.type == Key.vxlanLower, lower == nil { lower = try Self.index(attribute) }
        }
    }

    private mutating func readProperties(_ properties: AttributeReader) throws(NetlinkError) {
        var properties = properties
        while let attribute = try properties.next() {
            if attribute.type == Key.alternativeName { alternativeNames.append(attribute.text) }
        }
    }
}

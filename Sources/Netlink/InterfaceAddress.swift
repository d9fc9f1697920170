/// An IP address of an interface: RTM_NEWADDR, `struct ifaddrmsg` and the IFA_ attributes of <linux/if_addr.h>.
public struct InterfaceAddress: DumpedValue {
    /// The number of the interface that it is on.
    public var interface: Int32
    /// The host's own address (IFA_LOCAL, or IFA_ADDRESS where that is the same).
    public var local: IPAddress
    /// How many bits of the address are its network's.
    public var prefixLength: Int
    /// The address of the other end, when it is a point-to-point address (IFA_ADDRESS beside another IFA_LOCAL).
    public var peer: IPAddress?
    /// IPv4's name for it (IFA_LABEL): `eth0:1`.
    public var label: String?
    /// How far it reaches (RT_SCOPE_*): 0 everywhere, 253 on its link, 254 within the host.
    public var scope: UInt8

    /// Makes an address of what is known.
    public init(
        interface: Int32, local: IPAddress, prefixLength: Int, peer: IPAddress? = nil, label: String? = nil,
        scope: UInt8 = 0
    ) {
        self.interface = interface
        self.local = local
        self.prefixLength = prefixLength
        self.peer = peer
        self.label = label
        self.scope = scope
    }
}

extension InterfaceAddress {
    /// RTM_GETADDR.
    public static var dump: NetlinkDump { .address }

    /// The size of `struct ifaddrmsg`.
    static let headerSize = 8

    /// IFA_*.
    public enum Key {
        /// IFA_ADDRESS.
        public static let address: UInt16 = 1
        /// IFA_LOCAL.
        public static let local: UInt16 = 2
        /// IFA_LABEL.
        public static let label: UInt16 = 3
    }

    /// Reads an address from an RTM_NEWADDR message. Nil for a family other than IPv4 and IPv6.
    ///
    /// - Throws: what makes no sense in it, such as an address of the other family's size.
    public init?(_ message: NetlinkMessage) throws(NetlinkError) {
        // family, prefix length, flags, scope (1 byte each), index (4)
        var attributes = try message.attributes(after: Self.headerSize)
        guard let family = AddressFamily(message.body), let length = message.body.native(UInt8.self, at: 1),
            let scope = message.body.native(UInt8.self, at: 3), let index = message.body.native(Int32.self, at: 4)
        else { return nil }
        var address: IPAddress?
        var local: IPAddress?
        var label: String?
        while let attribute = try attributes.next() {
            switch attribute.type {
            case Key.address: address = try family.address(attribute)
            case Key.local: local = try family.address(attribute)
            case Key.label: label = attribute.text
            default: break
            }
        }
        guard let own = local ?? address, Int(length) <= own.bitWidth else {
            throw NetlinkError(.shortMessage(message.type), at: message.offset)
        }
        self.init(
            interface: index, local: own, prefixLength: Int(length), peer: address == own ? nil : address, label: label,
            scope: scope)
    }
}

/// AF_INET and AF_INET6: what a message's first byte says.
enum AddressFamily: UInt8 {
    case ipv4 = 2
    case ipv6 = 10

    /// The family that a message's body begins with; nil for others.
    init?(_ body: ArraySlice<UInt8>) {
        guard let first = body.first else { return nil }
        self.init(rawValue: first)
    }

    var bitWidth: Int { self == .ipv4 ? 32 : 128 }

    /// An attribute's value as an address of this family.
    func address(_ attribute: Attribute) throws(NetlinkError) -> IPAddress {
        let address = try attribute.address()
        guard address.bitWidth == bitWidth else {
            throw NetlinkError(
                .attributeValue(type: attribute.type, length: attribute.value.count),
                at: attribute.value.startIndex - Attribute.headerSize)
        }
        return address
    }

    var unspecified: IPAddress { self == .ipv4 ? .v4(0) : .v6(high: 0, low: 0) }
}

internal import Netlink

/// Replaces hardware and IP addresses in the messages of a netlink dump, in their places: no length changes.
///
/// Attributes that nothing here reads are filled with zeros: counters, virtual functions' addresses, a bond's or a tunnel's
/// peers. Names stay, but for hardware addresses in them.
struct NetlinkRedaction {
    private var bytes: [UInt8]

    init(_ dump: [UInt8]) { bytes = dump }

    /// What is done with an attribute's value.
    private enum Rule {
        case keep
        case hardwareAddress
        case address
        /// A text, in which known hardware addresses are replaced.
        case name
        /// Attributes of its own; the rules are those for them.
        case nested([UInt16: Rule])
        /// `struct rtvia`: two bytes of family, then an address.
        case via
        /// `struct rtnexthop`, each with attributes.
        case nextHops
    }

    private static let nextHopRules: [UInt16: Rule] = [Route.Key.gateway: .address, Route.Key.via: .via]

    /// The size of the fixed part, and the rules for the attributes, by the type of message.
    private static let rules: [MessageType: (header: Int, rules: [UInt16: Rule])] = [
        .newLink: (
            16,
            [
                Link.Key.hardwareAddress: .hardwareAddress, Link.Key.name: .name, Link.Key.lower: .keep,
                Link.Key.master: .keep, Link.Key.operationalState: .keep, Link.Key.lowerNamespace: .keep,
                Link.Key.parentDevice: .keep, Link.Key.parentBus: .keep,
                Link.Key.properties: .nested([Link.Key.alternativeName: .name]),
                Link.Key.info: .nested([
                    Link.Key.infoKind: .keep, Link.Key.infoMemberKind: .keep,
                    Link.Key.infoData: .nested([Link.Key.vxlanLower: .keep]),
                ]),
            ]
        ),
        .newAddress: (
            8,
            [
                InterfaceAddress.Key.address: .address, InterfaceAddress.Key.local: .address,
                InterfaceAddress.Key.label: .name,
            ]
        ),
        .newRoute: (
            12,
            [
                Route.Key.destination: .address, Route.Key.gateway: .address, Route.Key.via: .via,
                Route.Key.multipath: .nextHops, Route.Key.interface: .keep, Route.Key.metric: .keep,
                Route.Key.table: .keep, Route.Key.nextHopObject: .keep,
            ]
        ),
    ]

    /// The dump with everything replaced; nil when it makes no sense, and cannot be.
    mutating func run(_ pseudonyms: inout Pseudonyms) -> [UInt8]? {
        do {
            var reader = MessageReader(bytes[...])
            while let message = try reader.next() {
                guard let (header, rules) = Self.rules[message.type] else { continue }
                learnNetwork(message, header, &pseudonyms)
                try redact(message.body.dropFirst(header), rules, &pseudonyms)
            }
            return bytes
        } catch {
            return nil
        }
    }

    /// The prefix that an address or a route's destination has: the fixed part's second byte is its length.
    private func learnNetwork(_ message: NetlinkMessage, _ header: Int, _ pseudonyms: inout Pseudonyms) {
        guard message.type != .newLink, let length = message.body.dropFirst().first else { return }
        var attributes = AttributeReader(message.body.dropFirst(header))
        do {
            while let attribute = try attributes.next() {
                // RTA_DST and IFA_ADDRESS are both 1, IFA_LOCAL is 2.
                guard attribute.type <= 2, let address = IPAddress(bytes: attribute.value) else { continue }
                pseudonyms.addresses.learn(networkOf: address, length: Int(length))
            }
        } catch {}
    }

    private mutating func redact(
        _ attributes: ArraySlice<UInt8>, _ rules: [UInt16: Rule], _ pseudonyms: inout Pseudonyms
    ) throws(NetlinkError) {
        var reader = AttributeReader(attributes)
        while let attribute = try reader.next() {
            let value = attribute.value
            switch rules[attribute.type] {
            case .keep: break
            case .hardwareAddress: replace(value, by: pseudonyms.hardwareAddress(Array(value)))
            case .address: redactAddress(value, &pseudonyms)
            case .via: redactAddress(value.dropFirst(2), &pseudonyms)
            case .name:
                var redaction = TextRedaction(Array(value), replacesHosts: false)
                replace(value, by: redaction.run(&pseudonyms))
            case .nested(let rules): try redact(value, rules, &pseudonyms)
            case .nextHops: try redactNextHops(value, &pseudonyms)
            case nil: for index in value.indices { bytes[index] = 0 }
            }
        }
    }

    private mutating func redactNextHops(_ hops: ArraySlice<UInt8>, _ pseudonyms: inout Pseudonyms) throws(NetlinkError)
    {
        let header = 8
        var rest = hops
        while rest.count >= header {
            let start = rest.startIndex
            let length = Int(UInt16(littleEndian: UInt16(rest[start]) | UInt16(rest[start + 1]) << 8))
            guard length >= header, length <= rest.count else { break }
            try redact(rest.prefix(length).dropFirst(header), Self.nextHopRules, &pseudonyms)
            rest = rest.dropFirst((length + 3) & ~3)
        }
        for index in rest.indices { bytes[index] = 0 }
    }

    private mutating func redactAddress(_ value: ArraySlice<UInt8>, _ pseudonyms: inout Pseudonyms) {
        guard let address = IPAddress(bytes: value) else {
            for index in value.indices { bytes[index] = 0 }
            return
        }
        pseudonyms.addresses.learn(address.unmapped)
        replace(value, by: pseudonyms.addresses[address].bytes)
    }

    private mutating func replace(_ value: ArraySlice<UInt8>, by replacement: [UInt8]) {
        for (index, byte) in zip(value.indices, replacement) { bytes[index] = byte }
    }
}

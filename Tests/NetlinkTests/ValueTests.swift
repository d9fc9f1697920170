internal import Netlink
internal import TestSupport
internal import Testing

/// A host with a bond of two cards, a VLAN on it, and routes of many kinds.
enum Sample {
    static let gateway = IPAddress.v4(0xc0a8_0101)

    static let links: [Link] = {
        var card = Link(
            index: 2, name: "eth0", flags: [.up, .lowerUp], hardwareAddress: [0x52, 0x54, 0, 0, 0, 1],
            operationalState: .up, master: 4)
        card.memberKind = "bond"
        card.alternativeNames = ["enp1s0", "enx525400000001"]
        card.parentDevice = "0000:01:00.0"
        card.parentBus = "pci"
        var moved = Link(index: 6, name: "macvlan0", kind: "macvlan", lower: 3)
        moved.lowerNamespace = 0
        return [
            Link(index: 1, name: "lo", hardwareType: 772, flags: [.up, .loopback]), card,
            Link(index: 4, name: "bond0", flags: .up, kind: "bond"),
            Link(index: 5, name: "bond0.5", kind: "vlan", lower: 4), moved,
        ]
    }()

    static let addresses = [
        InterfaceAddress(interface: 4, local: .v4(0xc0a8_0105), prefixLength: 24, label: "bond0"),
        InterfaceAddress(interface: 5, local: .v4(0x0a00_0001), prefixLength: 32, peer: .v4(0x0a00_0002)),
        InterfaceAddress(interface: 4, local: .v6(high: 0x2001_0db8_0000_0000, low: 5), prefixLength: 64),
    ]

    static func routes() throws -> [Route] {
        let everywhere = try #require(IPPrefix("0.0.0.0/0"))
        let network = try #require(IPPrefix("10.0.0.0/8"))
        let everywhere6 = try #require(IPPrefix("::/0"))
        return [
            Route(destination: everywhere, nextHops: [.init(interface: 4, gateway: gateway)], metric: 100),
            Route(
                destination: network,
                nextHops: [.init(interface: 4, gateway: gateway), .init(interface: 5)], table: 1000),
            Route(
                destination: network,
                nextHops: [.init(interface: 4, gateway: .v6(high: 0xfe80_0000_0000_0000, low: 1))]),
            Route(
                destination: everywhere6,
                nextHops: [.init(interface: 4, gateway: .v6(high: 0xfe80_0000_0000_0000, low: 1))],
                origin: .init(rawValue: 9), metric: 1024),
            Route(destination: network, nextHops: [], kind: .init(rawValue: 6)),
            Route(destination: network, nextHops: [], nextHopObject: 12, isCached: true),
        ]
    }
}

@Suite("What rtnetlink describes")
struct ValueTests {
    @Test("links: name, kind, master, lower link, namespace, hardware address, state, parent")
    func links() throws {
        #expect(try Dumped<Link>(DumpBytes.links(Sample.links)).values == Sample.links)
    }

    @Test("addresses: IPv4 and IPv6, /32, point-to-point with its peer, label")
    func addresses() throws {
        let read = try Dumped<InterfaceAddress>(DumpBytes.addresses(Sample.addresses))
        #expect(read.values == Sample.addresses)
        #expect(!read.wasInterrupted)
    }

    @Test("routes: default, multipath, a gateway of the other family, tables past 255, none, cached, by nexthop object")
    func routes() throws {
        let routes = try Sample.routes()
        #expect(try Dumped<Route>(DumpBytes.routes(routes)).values == routes)
    }

    @Test("a VXLAN's lower link is in its own data")
    func vxlan() throws {
        let bytes = try DumpBytes.dump([0]) { _ throws(NetlinkError) in
            var message = MessageBuilder(type: .newLink, flags: .multi)
            try message.append(bytes: repeatElement(0, count: 16))
            try message.add(Link.Key.name, text: "vxlan7")
            try message.nest(Link.Key.info) { info throws(NetlinkError) in
                try info.nest(Link.Key.infoData) { data throws(NetlinkError) in
                    try data.add(Link.Key.vxlanLower, number: UInt32(2))
                }
                try info.add(Link.Key.infoKind, text: "vxlan")
            }
            return message.bytes
        }
        #expect(try Dumped<Link>(bytes).values.first?.lower == 2)
    }

    @Test("messages of other kinds and other families are left out, not refused")
    func others() throws {
        let bridge = try DumpBytes.dump([0]) { _ throws(NetlinkError) in
            var message = MessageBuilder(type: .newLink, flags: .multi)
            try message.append(bytes: [7] + [UInt8](repeating: 0, count: 15))
            return message.bytes
        }
        #expect(try Dumped<Link>(bridge).values == [])
        #expect(try Dumped<Route>(bridge).values == [])
        let label = try DumpBytes.dump([0]) { _ throws(NetlinkError) in
            var message = MessageBuilder(type: .newRoute, flags: .multi)
            try message.append(bytes: [28, 20] + [UInt8](repeating: 0, count: 10))
            return message.bytes
        }
        #expect(try Dumped<Route>(label).values == [])
    }

    @Test("a value of the wrong size is an error that says where")
    func wrongSize() throws {
        let bytes = try DumpBytes.dump([0]) { _ throws(NetlinkError) in
            var message = MessageBuilder(type: .newAddress, flags: .multi)
            try message.append(bytes: [2, 24, 0, 0, 1, 0, 0, 0])
            try message.add(InterfaceAddress.Key.local, [1, 2, 3])
            return message.bytes
        }
        let error = #expect(throws: NetlinkError.self) { try Dumped<InterfaceAddress>(bytes) }
        #expect(error == NetlinkError(.attributeValue(type: 2, length: 3), at: 24))
    }
}

@Suite("IP addresses")
struct IPAddressTests {
    @Test(
        "are read and written as RFC 4291 and RFC 5952 have it",
        arguments: [
            ("192.168.1.5", "192.168.1.5"), ("::", "::"), ("::1", "::1"), ("2001:DB8:0:0::5", "2001:db8::5"),
            ("fe80::1", "fe80::1"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
            ("::ffff:10.0.0.1", "::ffff:a00:1"), ("1::", "1::"), ("0:1:1:1:1:1:1:1", "0:1:1:1:1:1:1:1"),
        ])
    func text(given: String, written: String) throws {
        let address = try #require(IPAddress(given))
        #expect(address.description == written)
        #expect(IPAddress(written) == address)
        #expect(IPAddress(bytes: address.bytes) == address)
    }

    @Test(
        "nothing else is one",
        arguments: [
            "", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.a", "1..2.3", "-1.2.3.4", ":", ":::", "1:", ":1", "1::2::3",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "g::", "fe80::1%eth0", "::1/64",
            "::1.2.3", "1.2.3.4::",
        ])
    func nonsense(text: String) { #expect(IPAddress(text) == nil) }

    @Test("a prefix contains what begins like it, and nothing of the other family")
    func prefixes() throws {
        let network = try #require(IPPrefix(.v4(0xc0a8_01ff), length: 24))
        #expect(network.description == "192.168.1.0/24")
        #expect(network.contains(.v4(0xc0a8_0105)) && !network.contains(.v4(0xc0a8_0205)))
        #expect(!network.contains(.v6(high: 0, low: 0xc0a8_0105)))
        let everything = try #require(IPPrefix(.v6(high: 1, low: 1), length: 0))
        #expect(everything.contains(.v6(high: .max, low: .max)) && everything.address.isUnspecified)
        let one = try #require(IPPrefix(.v6(high: 1, low: 1), length: 128))
        #expect(one.contains(.v6(high: 1, low: 1)) && !one.contains(.v6(high: 1, low: 0)))
        #expect(IPPrefix("10.1.2.3/8") == IPPrefix("10.0.0.0/8"))
        for text in ["10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "/8"] {
            #expect(IPPrefix(text) == nil, "\(text)")
        }
        #expect(IPPrefix(.v4(0), length: 33) == nil && IPPrefix(.v4(0), length: -1) == nil)
    }

    @Test("what kind of address it is")
    func kinds() throws {
        #expect(try #require(IPAddress("fe80::1")).isIPv6LinkLocal)
        #expect(try #require(IPAddress("febf::1")).isIPv6LinkLocal)
        #expect(try !#require(IPAddress("fec0::1")).isIPv6LinkLocal)
        #expect(try #require(IPAddress("127.9.9.9")).isLoopback)
        #expect(try #require(IPAddress("::1")).isLoopback)
        #expect(try #require(IPAddress("ff02::1")).isMulticast)
        #expect(try #require(IPAddress("::ffff:10.0.0.1")).unmapped == IPAddress("10.0.0.1"))
        #expect(try #require(IPAddress("::1")).unmapped == IPAddress("::1"))
    }
}

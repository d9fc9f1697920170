internal import Host
internal import HostAccess
internal import Netlink
internal import TestSupport
internal import Testing

/// The network of a host, for netlink's dumps: built up by name, stored in a tree.
struct SampleNetwork {
    var links = [Link(index: 1, name: "lo", hardwareType: 772, flags: [.up, .loopback])]
    var addresses: [InterfaceAddress] = []
    var routes: [Route] = []

    /// Begins with the loopback, and eth0 on the card at 02:00.0.
    init() {
        addresses.append(InterfaceAddress(interface: 1, local: .v4(0x7f00_0001), prefixLength: 8))
        link("eth0")
        links[1].parentBus = "pci"
        links[1].parentDevice = "0000:02:00.0"
    }

    func index(_ name: String) -> Int32? { links.first { $0.name == name }?.index }

    mutating func link(_ name: String, kind: String? = nil, on lower: String? = nil) {
        links.append(
            Link(index: Int32(links.count + 1), name: name, kind: kind, lower: lower.flatMap { index($0) }))
    }

    mutating func enslave(_ name: String, to master: String) {
        for position in links.indices where links[position].name == name { links[position].master = index(master) }
    }

    /// An address such as `192.168.1.5/24`, with the route to its network that the kernel makes of it.
    mutating func address(_ text: String, on name: String, peer: String? = nil) throws {
        let parts = text.split(separator: "/").map(String.init)
        let address = try #require(IPAddress(parts[0]))
        let prefix = try #require(IPPrefix(text))
        let interface = try #require(index(name))
        addresses.append(
            InterfaceAddress(
                interface: interface, local: address, prefixLength: prefix.length, peer: peer.flatMap { IPAddress($0) })
        )
        routes.append(Route(destination: prefix, nextHops: [.init(interface: interface)], origin: .kernel))
        let own = try #require(IPPrefix(address, length: address.bitWidth))
        routes.append(
            Route(
                destination: own, nextHops: [.init(interface: interface)], table: 255, kind: .local, origin: .kernel))
    }

    mutating func route(
        _ destination: String, via gateway: String? = nil, through names: String..., table: UInt32 = Route.mainTable
    ) throws {
        let hops = names.map {
            Route.NextHop(interface: index($0), gateway: gateway.flatMap { IPAddress($0) })
        }
        routes.append(Route(destination: try #require(IPPrefix(destination)), nextHops: hops, table: table))
    }

    func store(in host: UsedHost) throws {
        host.tree.file("netlink/link", bytes: try DumpBytes.links(links))
        host.tree.file("netlink/address", bytes: try DumpBytes.addresses(addresses))
        host.tree.file("netlink/route", bytes: try DumpBytes.routes(routes))
    }
}

extension UsedHost {
    /// The uses of the card at 02:00.0, on a host with this network.
    func uses(with network: SampleNetwork) throws -> [Use] {
        try network.store(in: self)
        return try uses(of: "02:00.0")
    }
}

@Suite("Who uses a network card")
struct InterfaceUseTests {
    let host = UsedHost()
    var network = SampleNetwork()

    @Test("nobody")
    func nobody() throws {
        #expect(try host.uses(with: network) == [])
        #expect(try host.device("02:00.0").unseen == [])
    }

    @Test("an address, and the routes beyond its own network, the default route of the main table first")
    mutating func addressAndRoutes() throws {
        try network.route("10.0.0.0/8", via: "192.168.1.1", through: "eth0")
        try network.route("0.0.0.0/0", via: "192.168.1.2", through: "eth0", table: 100)
        try network.address("192.168.1.5/24", on: "eth0")
        try network.route("0.0.0.0/0", via: "192.168.1.1", through: "eth0")
        #expect(
            try host.uses(with: network) == [
                Use(by: .address, detail: "eth0 has 192.168.1.5"),
                Use(
                    by: .route,
                    detail: "the default route via 192.168.1.1, the default route via 192.168.1.2 in table 100 and the "
                        + "route to 10.0.0.0/8 via 192.168.1.1 go through eth0"),
            ])
    }

    @Test("addresses of one host alone and of two are their interface's, whatever network they lie in")
    mutating func hostAddresses() throws {
        try network.address("203.0.113.7/32", on: "eth0")
        try network.address("10.0.0.1/32", on: "eth0", peer: "10.0.0.2")
        #expect(
            try host.uses(with: network) == [
                Use(by: .address, detail: "eth0 has 203.0.113.7 and 10.0.0.1 (peer 10.0.0.2)")
            ])
    }

    @Test("IPv6: a global address and its routes count, what every interface gives itself does not")
    mutating func ipv6() throws {
        try network.address("fe80::1/64", on: "eth0")
        try network.route("ff00::/8", through: "eth0", table: 255)
        network.routes[network.routes.count - 1].kind = .init(rawValue: 5)
        #expect(try host.uses(with: network) == [])
        try network.address("2001:db8::5/64", on: "eth0")
        try network.route("::/0", via: "fe80::9", through: "eth0")
        #expect(
            try host.uses(with: network) == [
                Use(by: .address, detail: "eth0 has 2001:db8::5"),
                Use(by: .route, detail: "the default route via fe80::9 goes through eth0"),
            ])
    }

    @Test("a route of several ways goes through each; what leads nowhere, and the kernel's cache, through none")
    mutating func multipath() throws {
        network.link("eth9")
        try network.route("10.0.0.0/8", through: "eth9", "eth0")
        try network.route("10.1.0.0/16", via: "10.0.0.1", through: "eth0")
        network.routes[network.routes.count - 1].isCached = true
        network.routes.append(
            Route(destination: try #require(IPPrefix("10.2.0.0/16")), nextHops: [], kind: .init(rawValue: 6)))
        #expect(
            try host.uses(with: network) == [Use(by: .route, detail: "the route to 10.0.0.0/8 goes through eth0")])
    }

    @Test("of many routes, the first few and how many more")
    mutating func manyRoutes() throws {
        for number in 0..<100 { try network.route("10.\(number).0.0/16", through: "eth0") }
        try network.route("0.0.0.0/0", through: "eth0")
        let use = try #require(try host.uses(with: network).first)
        #expect(use.detail.hasPrefix("the default route, the route to 10.0.0.0/16, "))
        #expect(use.detail.hasSuffix(" and 97 more go through eth0"))
    }

    @Test("membership is named by kind, with all that is on top in turn", arguments: ["bond", "team", "bridge", "vrf"])
    mutating func members(kind: String) throws {
        network.link("upper0", kind: kind)
        network.enslave("eth0", to: "upper0")
        network.link("upper0.5", kind: "vlan", on: "upper0")
        network.link("upper0.6", kind: "vlan", on: "upper0")
        try network.address("192.168.1.5/24", on: "upper0")
        try network.route("0.0.0.0/0", via: "192.168.1.1", through: "upper0")
        try network.address("172.16.0.9/16", on: "upper0.5")
        let called = kind == "vrf" ? "VRF" : kind
        #expect(
            try host.uses(with: network) == [
                Use(
                    by: .enslaved,
                    detail:
                        "eth0 is part of the \(called) upper0 (192.168.1.5; the default route via 192.168.1.1; under "
                        + "the VLAN upper0.5 (172.16.0.9); under the VLAN upper0.6)")
            ])
    }

    @Test("Open vSwitch: what its internal ports carry is on every member, though no link says so")
    mutating func openVSwitch() throws {
        network.link("ovs-system", kind: "openvswitch")
        network.link("br-ex", kind: "openvswitch")
        network.link("br-int", kind: "openvswitch")
        network.enslave("eth0", to: "ovs-system")
        try network.address("192.168.1.5/24", on: "br-ex")
        #expect(
            try host.uses(with: network) == [
                Use(
                    by: .enslaved,
                    detail: "eth0 is part of the Open vSwitch ovs-system (under the Open vSwitch br-ex (192.168.1.5))")
            ])
    }

    @Test("what stands on it is named by kind", arguments: ["vlan", "macvlan", "macvtap", "ipvlan", "vxlan", "macsec"])
    mutating func stacked(kind: String) throws {
        network.link("upper0", kind: kind, on: "eth0")
        try network.address("172.16.0.9/16", on: "upper0")
        let called = ["vlan": "VLAN", "vxlan": "VXLAN"][kind] ?? kind
        #expect(
            try host.uses(with: network) == [
                Use(by: .stacked, detail: "the \(called) upper0 (172.16.0.9) is stacked on eth0")
            ])
    }

    @Test("of many interfaces stacked on it, the first few and how many more")
    mutating func manyStacked() throws {
        for number in 1...300 { network.link("eth0.\(number)", kind: "vlan", on: "eth0") }
        #expect(
            try host.uses(with: network) == [
                Use(
                    by: .stacked,
                    detail:
                        "the VLAN eth0.1, the VLAN eth0.2, the VLAN eth0.3, the VLAN eth0.4 and 296 more are stacked on "
                        + "eth0")
            ])
    }

    @Test("a tower of interfaces without an end, or in a ring, is described to a bounded height")
    mutating func tower() throws {
        for number in 0..<5000 {
            network.link("up\(number)", kind: "vlan", on: number == 0 ? "eth0" : "up\(number - 1)")
        }
        let use = try #require(try host.uses(with: network).first)
        #expect(use.detail.hasPrefix("the VLAN up0 (under the VLAN up1 (under"))
        #expect(use.detail.utf8.count < 1000)

        network.links[1].lower = network.index("up4999")
        #expect(try host.uses(with: network).count == 1)
    }

    @Test("a link's lower one in another namespace, or a veth's peer, is not stacked on whatever has that number here")
    mutating func elsewhere() throws {
        network.link("moved0", kind: "macvlan", on: "eth0")
        network.links[network.links.count - 1].lowerNamespace = 3
        network.link("veth0", kind: "veth", on: "eth0")
        #expect(try host.uses(with: network) == [])
    }

    @Test("an interface of the same name on another device is not taken for this one's")
    mutating func otherNamespace() throws {
        network.links[1].parentDevice = "0000:09:00.0"
        try network.address("192.168.1.5/24", on: "eth0")
        #expect(try host.uses(with: network) == [])
        #expect(try host.device("02:00.0").unseen.contains { $0.contains("eth0") && $0.contains("network namespace") })
    }

    @Test("an interface that netlink does not list is not known to be unused")
    mutating func notListed() throws {
        network.links.remove(at: 1)
        #expect(try host.uses(with: network) == [])
        #expect(try host.device("02:00.0").unseen.contains { $0.contains("eth0") })
    }

    @Test("a dump that makes no sense, was cut or is missing is said; the others count")
    mutating func broken() throws {
        try network.address("192.168.1.5/24", on: "eth0")
        try network.store(in: host)
        let whole = try DumpBytes.routes(network.routes)
        for bytes in [Array(whole.dropLast(20)), Array(whole.dropLast(3)), [1, 2, 3], []] {
            host.tree.file("netlink/route", bytes: bytes)
            let device = try host.device("02:00.0")
            #expect(device.uses == [Use(by: .address, detail: "eth0 has 192.168.1.5")])
            #expect(device.unseen.contains { $0.contains("which routes the host has") })
        }
        #expect(host.tree.remove("netlink/route"))
        #expect(try host.device("02:00.0").unseen.contains { $0.contains("which routes the host has") })
    }

    @Test("routes that only name a nexthop object, and dumps that kept changing, are said")
    mutating func hidden() throws {
        network.routes.append(
            Route(destination: try #require(IPPrefix("10.0.0.0/8")), nextHops: [], nextHopObject: 12))
        try network.store(in: host)
        #expect(try host.device("02:00.0").unseen.contains { $0.contains("nexthop object") })
        var bytes = try DumpBytes.addresses(network.addresses)
        bytes[6] |= UInt8(truncatingIfNeeded: MessageFlags.dumpInterrupted.rawValue)
        host.tree.file("netlink/address", bytes: bytes)
        #expect(try host.device("02:00.0").unseen.contains { $0.contains("kept changing") })
    }

    @Test("an interface that was moved into a container's network namespace is used by the container")
    mutating func container() throws {
        let home = "sys/devices/pci0000:00/0000:02:00.0/net"
        #expect(host.tree.remove("sys/class/net/eth0"))
        host.tree.removeDirectory(home)
        network.links.remove(at: 1)
        #expect(try host.uses(with: network) == [], "a driver that made no interface")

        host.tree.directory(home)
        let unknown = try host.uses(with: network)
        #expect(unknown.map(\.by) == [.process])
        #expect(unknown.first?.detail.contains("in another network namespace") == true)

        host.tree.link("proc/self/ns/mnt", to: "mnt:[1]")
        host.process(812, "pause")
        host.tree.link("proc/812/ns/mnt", to: "mnt:[2]")
        host.tree.directory("proc/812/root/sys/bus/pci/devices/0000:02:00.0/net/net1")
        #expect(
            try host.uses(with: network) == [
                Use(by: .process, detail: "its interface net1 is in the network namespace of process 812 (pause)")
            ])
    }
}

internal import Host
internal import HostAccess
internal import TestSupport
internal import Testing

@Suite("Who uses a network card, by the files of a capture without netlink dumps")
struct NetworkTableTests {
    let host = UsedHost()

    func uses() throws -> [Use] { try host.uses(of: "02:00.0") }

    @Test("an address, and the routes beyond its own network, the default route first")
    func addressAndRoutes() throws {
        host.localAddresses("127.0.0.1", "192.168.1.5")
        host.routes(
            "eth0\t0000000A\t0101A8C0\t0003\t0\t0\t0\t000000FF\t0\t0\t0",
            "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
            "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0")
        #expect(
            try uses() == [
                Use(by: .address, detail: "eth0 has 192.168.1.5"),
                Use(
                    by: .route,
                    detail:
                        "the default route via 192.168.1.1 and the route to 10.0.0.0/8 via 192.168.1.1 go through eth0"
                ),
            ])
    }

    @Test("IPv6: a global address and its routes count, what every interface gives itself does not")
    func ipv6() throws {
        host.tree.file(
            "proc/net/if_inet6",
            """
            fe80000000000000021b21fffe000001 02 40 20 80     eth0
            20010db8000000000000000000000005 02 40 00 80     eth0
            00000000000000000000000000000001 01 80 10 80       lo

            """)
        let zero = String(repeating: "0", count: 32)
        host.tree.file(
            "proc/net/ipv6_route",
            """
            20010db8000000000000000000000000 40 \(zero) 00 \(zero) 00000100 00000001 00000000 00000001     eth0
            fe800000000000000000000000000000 40 \(zero) 00 \(zero) 00000100 00000001 00000000 00000001     eth0
            \(zero) 00 \(zero) 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
            20010db8000000000000000000000005 80 \(zero) 00 \(zero) 00000000 00000001 00000000 80200001     eth0
            ff000000000000000000000000000000 08 \(zero) 00 \(zero) 00000100 00000001 00000000 00000001     eth0
            \(zero) 00 \(zero) 00 \(zero) ffffffff 00000001 00000000 00200200       lo

            """)
        #expect(
            try uses() == [
                Use(by: .address, detail: "eth0 has 2001:db8::5"),
                Use(by: .route, detail: "the default route via fe80::1 goes through eth0"),
            ])
    }

    @Test("a port of a bond that carries the host's address is part of it, with what would be lost")
    func bond() throws {
        host.interface("eth0", upper: ["bond0"], master: "bond0")
        host.interface("bond0", upper: ["br0"])
        host.tree.directory("sys/devices/virtual/net/bond0/bonding")
        host.interface("br0")
        host.localAddresses("10.1.0.2")
        host.routes(
            "br0\t00000000\t0100010A\t0003\t0\t0\t100\t00000000\t0\t0\t0",
            "br0\t0000010A\t00000000\t0001\t0\t0\t100\t0000FFFF\t0\t0\t0")
        #expect(
            try uses() == [
                Use(
                    by: .enslaved,
                    detail: "eth0 is part of the bond bond0 (under br0 (10.1.0.2; the default route via 10.1.0.1))")
            ])
    }

    @Test("bridges and Open vSwitch are called by their name", arguments: ["bridge", "ovs-system"])
    func switches(kind: String) throws {
        let master = kind == "bridge" ? "br0" : "ovs-system"
        host.interface("eth0", upper: [master], master: master)
        host.interface(master)
        if kind == "bridge" { host.tree.directory("sys/devices/virtual/net/br0/bridge") }
        let expected = kind == "bridge" ? "the bridge br0" : "the Open vSwitch ovs-system"
        #expect(try uses() == [Use(by: .enslaved, detail: "eth0 is part of \(expected)")])
    }

    @Test("a VLAN on top is a use, with its own address")
    func vlan() throws {
        host.interface("eth0", upper: ["eth0.5"])
        host.interface("eth0.5")
        host.localAddresses("172.16.0.9")
        host.routes("eth0.5\t000010AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0")
        #expect(try uses() == [Use(by: .stacked, detail: "eth0.5 (172.16.0.9) is stacked on eth0")])
    }

    @Test("an address whose interface these tables do not name is said, not lost")
    func hostAddress() throws {
        host.localAddresses("192.168.1.5", "10.9.9.9")
        host.routes("eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0")
        #expect(try uses() == [Use(by: .address, detail: "eth0 has 192.168.1.5")])
        #expect(try host.device("02:00.0").unseen.contains { $0.contains("10.9.9.9") })
    }

    @Test("what an interface is called is what its uevent says")
    func kinds() throws {
        host.interface("eth0", upper: ["eth0.5", "team0"], master: "team0")
        host.interface("eth0.5")
        host.interface("team0")
        host.tree.file("sys/devices/virtual/net/eth0.5/uevent", "DEVTYPE=vlan\nINTERFACE=eth0.5\nIFINDEX=9\n")
        host.tree.file("sys/devices/virtual/net/team0/uevent", "DEVTYPE=team\nINTERFACE=team0\n")
        #expect(
            try uses() == [
                Use(by: .enslaved, detail: "eth0 is part of the team team0"),
                Use(by: .stacked, detail: "the VLAN eth0.5 is stacked on eth0"),
            ])
    }

    @Test("a table that cannot be read is said")
    func notes() throws {
        #expect(host.tree.remove("proc/net/fib_trie"))
        #expect(try host.device("02:00.0").unseen.contains { $0.contains("/proc/net/fib_trie") })
        #expect(try host.device("01:00.0").unseen.isEmpty, "no interface sits on this one")
    }

    @Test("a table of nonsense is no table", arguments: ["\n\n", "eth0\tzz\tzz\n", "Iface\neth0 1 2 3 4 5 6 7 8 9\n"])
    func nonsense(text: String) throws {
        for name in ["route", "fib_trie", "if_inet6", "ipv6_route"] { host.tree.file("proc/net/" + name, text) }
        host.tree.file("proc/self/mountinfo", text)
        host.tree.file("proc/swaps", text)
        #expect(try uses() == [])
    }
}

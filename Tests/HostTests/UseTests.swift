internal import Host
internal import HostAccess
internal import PCI
internal import TestSupport
internal import Testing

/// A host with an NVMe disk at 01:00.0 and a network card at 02:00.0 (eth0), in a directory.
struct UsedHost {
    let tree = TemporaryDirectory()
    static let disk = "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1"
    static let card = "sys/devices/pci0000:00/0000:02:00.0/net/eth0"

    init() {
        for (address, driver) in [("0000:01:00.0", "nvme"), ("0000:02:00.0", "igb")] {
            let home = "sys/devices/pci0000:00/" + address
            tree.file(
                home + "/uevent", "DRIVER=\(driver)\nPCI_CLASS=20000\nPCI_ID=8086:10C9\nPCI_SUBSYS_ID=1AF4:1100\n")
            tree.directory("sys/bus/pci/drivers/" + driver)
            tree.link(home + "/driver", to: "../../../bus/pci/drivers/" + driver)
            tree.link("sys/bus/pci/devices/" + address, to: "../../../devices/pci0000:00/" + address)
        }
        blockDevice("nvme0n1", at: Self.disk, number: "259:0")
        tree.link("sys/block/nvme0n1", to: "../devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1")
        for index in 1...3 {
            tree.file("\(Self.disk)/nvme0n1p\(index)/partition", "\(index)\n")
            blockDevice("nvme0n1p\(index)", at: "\(Self.disk)/nvme0n1p\(index)", number: "259:\(index)")
        }
        tree.link("sys/class/net/eth0", to: "../../devices/pci0000:00/0000:02:00.0/net/eth0")
        tree.directory(Self.card)
        tree.file("proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n")
        mounts("22 1 0:21 / /sys rw - sysfs sysfs rw")
        tree.file(
            "proc/net/route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n")
        tree.file("proc/net/fib_trie", "")
        process(1, "init", open: "/dev/null", "socket:[7]")
    }

    /// A process with a descriptor for each target, numbered from 3.
    func process(_ pid: Int, _ command: String, open targets: String...) {
        tree.file("proc/\(pid)/comm", command + "\n")
        tree.directory("proc/\(pid)/fd")
        for (index, target) in targets.enumerated() { tree.link("proc/\(pid)/fd/\(index + 3)", to: target) }
    }

    /// A block device under /sys/class/block and /sys/dev/block.
    func blockDevice(_ name: String, at path: String, number: String) {
        tree.directory(path + "/holders")
        tree.file(path + "/dev", number + "\n")
        let up = String(path.dropFirst("sys/".count))
        tree.link("sys/class/block/" + name, to: "../../" + up)
        tree.link("sys/dev/block/" + number, to: "../../" + up)
    }

    /// A device-mapper or md device on top of others.
    func stacked(_ name: String, on parts: [String], number: String, mapperName: String? = nil) {
        blockDevice(name, at: "sys/devices/virtual/block/" + name, number: number)
        tree.link("sys/block/" + name, to: "../devices/virtual/block/" + name)
        if let mapperName { tree.file("sys/devices/virtual/block/\(name)/dm/name", mapperName + "\n") }
        for part in parts { tree.link("sys/class/block/\(part)/holders/\(name)", to: "../" + name) }
    }

    func mounts(_ lines: String...) { tree.file("proc/self/mountinfo", lines.map { $0 + "\n" }.joined()) }

    func routes(_ lines: String...) {
        let header = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        tree.file("proc/net/route", header + lines.map { $0 + "\n" }.joined())
    }

    func localAddresses(_ addresses: String...) {
        tree.file(
            "proc/net/fib_trie",
            "Main:\n  +-- 0.0.0.0/0 3 0 5\n"
                + addresses.map { "           |-- \($0)\n              /32 host LOCAL\n" }.joined())
    }

    func interface(_ name: String, upper: [String] = [], master: String? = nil) {
        let path = name == "eth0" ? Self.card : "sys/devices/virtual/net/" + name
        tree.directory(path)
        if name != "eth0" { tree.link("sys/class/net/" + name, to: "../../devices/virtual/net/" + name) }
        for upper in upper { tree.link("\(path)/upper_\(upper)", to: "../" + upper) }
        if let master { tree.link(path + "/master", to: "../" + master) }
    }

    func udev(_ number: String, _ lines: String...) {
        tree.file("run/udev/data/b" + number, "I:1234\n" + lines.map { "E:\($0)\n" }.joined())
    }

    func snapshot() throws -> HostSnapshot { try HostSnapshot.read(from: CapturedDirectory(tree.path)) }

    func device(_ address: String) throws -> Device {
        let address = try #require(PCIAddress(address))
        return try #require(try snapshot().device(at: address))
    }

    func uses(of address: String) throws -> [Use] { try device(address).uses }
}

@Suite("Who uses a network card")
struct InterfaceUseTests {
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

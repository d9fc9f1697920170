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
    }

    /// A block device under /sys/class/block and /sys/dev/block.
    func blockDevice(_ name: String, at path: String, number: String) {
        tree.directory(path + "/holders")
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

    func snapshot() throws -> HostSnapshot { try HostSnapshot.read(from: CapturedDirectory(tree.path)) }

    func uses(of address: String) throws -> [Use] {
        let address = try #require(PCIAddress(address))
        return try #require(try snapshot().device(at: address)).uses
    }
}

@Suite("Who uses a disk")
struct DiskUseTests {
    let host = UsedHost()

    func uses() throws -> [Use] { try host.uses(of: "01:00.0") }

    @Test("nobody")
    func nobody() throws {
        #expect(try uses() == [])
        #expect(try host.snapshot().notes == [])
    }

    @Test("a mounted partition, by device number, wherever the source's name points")
    func mounted() throws {
        host.mounts(
            "25 1 259:2 / / rw,relatime shared:1 - ext4 /dev/root rw",
            "26 25 259:2 /home /home rw,relatime shared:1 - ext4 /dev/root rw",
            "27 25 259:1 / /boot\\040efi rw - vfat /dev/nvme0n1p1 rw")
        #expect(
            try uses() == [
                Use(by: .mount, detail: "nvme0n1p1 is mounted on /boot efi"),
                Use(by: .mount, detail: "nvme0n1p2 is mounted on / and /home"),
            ])
    }

    @Test("a mounted whole disk; many mount points are counted")
    func wholeDisk() throws {
        host.mounts(
            "25 1 259:0 / /a rw - ext4 /dev/nvme0n1 rw", "25 1 259:0 / /b rw - ext4 /dev/nvme0n1 rw",
            "25 1 259:0 / /c rw - ext4 /dev/nvme0n1 rw", "25 1 259:0 / /d rw - ext4 /dev/nvme0n1 rw",
            "25 1 259:0 / /e rw - ext4 /dev/nvme0n1 rw")
        #expect(try uses() == [Use(by: .mount, detail: "nvme0n1 is mounted on /a, /b, /c, /d and 1 more")])
    }

    @Test("a capture with the older mount table alone")
    func olderTable() throws {
        #expect(host.tree.remove("proc/self/mountinfo"))
        host.tree.file("proc/mounts", "/dev/nvme0n1p3 /srv xfs rw 0 0\n")
        #expect(try uses() == [Use(by: .mount, detail: "nvme0n1p3 is mounted on /srv")])
    }

    @Test("swap space on a partition")
    func swap() throws {
        host.tree.file(
            "proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/nvme0n1p3   partition\t976\t0\t-2\n")
        #expect(try uses() == [Use(by: .swap, detail: "nvme0n1p3 is used as swap space")])
    }

    @Test("LVM on LUKS on md: every layer up to the mount is named")
    func layers() throws {
        host.stacked("md127", on: ["nvme0n1p2"], number: "9:127")
        host.stacked("dm-0", on: ["md127"], number: "253:0", mapperName: "luks-data")
        host.stacked("dm-1", on: ["dm-0"], number: "253:1", mapperName: "vg0-root")
        host.stacked("dm-2", on: ["dm-0"], number: "253:2", mapperName: "vg0-swap")
        host.mounts("25 1 253:1 / / rw - ext4 /dev/mapper/vg0-root rw")
        host.tree.file("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/dm-2 partition\t976\t0\t-2\n")
        #expect(
            try uses() == [
                Use(
                    by: .holder,
                    detail:
                        "nvme0n1p2 is held by md127, held by dm-0 (luks-data), held by dm-1 (vg0-root), mounted on /, "
                        + "held by dm-2 (vg0-swap), used as swap space")
            ])
    }

    @Test("a holder that nothing is mounted from holds all the same; a loop of holders ends")
    func idleHolder() throws {
        host.stacked("dm-0", on: ["nvme0n1p2"], number: "253:0", mapperName: "idle")
        host.tree.link("sys/class/block/dm-0/holders/nvme0n1p2", to: "../nvme0n1p2")
        #expect(try uses() == [Use(by: .holder, detail: "nvme0n1p2 is held by dm-0 (idle), held by nvme0n1p2")])
    }

    @Test("every member of a mounted btrfs is in use, not only the one that the mount names")
    func btrfs() throws {
        host.mounts("25 1 0:40 / /data rw - btrfs /dev/sda1 rw")
        host.tree.link("sys/fs/btrfs/1f3c/devices/sda1", to: "../../../../devices/gone/sda1")
        host.tree.link("sys/fs/btrfs/1f3c/devices/nvme0n1p2", to: "../../../../devices/gone/nvme0n1p2")
        #expect(try uses() == [Use(by: .holder, detail: "nvme0n1p2 is part of a btrfs, mounted on /data")])
    }

    @Test("tables that cannot be read are said, not taken for unused")
    func notes() throws {
        #expect(host.tree.remove("proc/self/mountinfo"))
        #expect(host.tree.remove("proc/swaps"))
        let notes = try host.snapshot().notes
        #expect(notes.contains { $0.contains("what is mounted is not known") })
        #expect(notes.contains { $0.contains("/proc/swaps") })
    }
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
        #expect(try host.snapshot().notes.contains { $0.contains("/proc/net/fib_trie") })
    }

    @Test("a table of nonsense is no table", arguments: ["\n\n", "eth0\tzz\tzz\n", "Iface\neth0 1 2 3 4 5 6 7 8 9\n"])
    func nonsense(text: String) throws {
        for name in ["route", "fib_trie", "if_inet6", "ipv6_route"] { host.tree.file("proc/net/" + name, text) }
        host.tree.file("proc/self/mountinfo", text)
        host.tree.file("proc/swaps", text)
        #expect(try uses() == [])
    }
}

@Suite("Who uses a device through VFIO")
struct VFIOUseTests {
    let host = UsedHost()

    init() {
        let home = "sys/devices/pci0000:00/0000:02:00.0"
        host.tree.directory("sys/bus/pci/drivers/vfio-pci")
        host.tree.link(home + "/driver", to: "../../../bus/pci/drivers/vfio-pci")
        host.tree.link(home + "/iommu_group", to: "../../../kernel/iommu_groups/12")
        host.tree.directory(home + "/vfio-dev/vfio3")
    }

    @Test("a process with the group's or the device's node open, by pid and command")
    func holders() throws {
        for (pid, command, target) in [
            ("41", "sshd", "/dev/null"), ("42", "qemu-system-x86", "/dev/vfio/12"),
            ("43", "vmm", "/dev/vfio/devices/vfio3 (deleted)"), ("44", "other", "/dev/vfio/123"),
        ] {
            host.tree.file("proc/\(pid)/comm", command + "\n")
            host.tree.link("proc/\(pid)/fd/7", to: target)
        }
        #expect(
            try host.uses(of: "02:00.0") == [
                Use(by: .vfio, detail: "process 42 (qemu-system-x86) has /dev/vfio/12 open"),
                Use(by: .vfio, detail: "process 43 (vmm) has /dev/vfio/devices/vfio3 open"),
            ])
    }

    @Test("where no process can be seen, that is said")
    func noProcesses() throws {
        #expect(try host.snapshot().notes.contains { $0.contains("who has VFIO devices open is not known") })
    }

    @Test("a physical function is in use while its virtual functions are")
    func virtualFunctions() throws {
        let home = "sys/devices/pci0000:00/0000:01:00.0"
        host.tree.file(home + "/sriov_totalvfs", "4\n")
        host.tree.link(home + "/virtfn0", to: "../0000:02:00.0")
        host.tree.file("proc/42/comm", "qemu\n")
        host.tree.link("proc/42/fd/7", to: "/dev/null")
        #expect(
            try host.uses(of: "01:00.0") == [Use(by: .vf, detail: "VF 0 (0000:02:00.0) is bound to vfio-pci")])
        host.tree.link("proc/42/fd/7", to: "/dev/vfio/12")
        #expect(
            try host.uses(of: "01:00.0") == [
                Use(
                    by: .vf,
                    detail: "VF 0 (0000:02:00.0) is in use: process 42 (qemu) has /dev/vfio/12 open")
            ])
    }
}

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

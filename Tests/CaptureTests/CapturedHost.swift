internal import Capture
internal import Host
internal import HostAccess
internal import TestSupport

/// A host in a directory, to be captured.
struct CapturedHost {
    let tree = TemporaryDirectory()
    private let work = TemporaryDirectory()

    static let card = "sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0"

    init() {
        function("0000:00:1c.0", parent: "", ids: "8086:A338", classID: "60400", group: 0)
        function("0000:01:00.0", parent: "0000:00:1c.0/", ids: "8086:10C9", classID: "20000", driver: "igb", group: 1)
        tree.file(Self.card + "/sriov_totalvfs", "7\n")
        tree.file(Self.card + "/sriov_offset", "128\n")
        tree.file(Self.card + "/sriov_stride", "2\n")
        tree.file(Self.card + "/msi_irqs/34", "msix\n")
        tree.file("proc/irq/34/smp_affinity_list", "0-1\n")
        tree.file("proc/irq/34/effective_affinity_list", "1\n")
        tree.file("sys/kernel/irq/34/actions", "eth0\n")
        tree.file(Self.card + "/net/eth0/address", "52:54:00:12:34:56\n")
        tree.link("sys/class/net/eth0", to: "../../" + Self.card.dropFirst(4) + "/net/eth0")
        tree.link(Self.card + "/net/eth0/upper_br0", to: "../../../../../../virtual/net/br0")
        tree.link(Self.card + "/net/eth0/master", to: "../../../../../../virtual/net/br0")
        tree.directory("sys/devices/virtual/net/br0/bridge")
        tree.link("sys/class/net/br0", to: "../../devices/virtual/net/br0")
        tree.file("proc/7/mountinfo", "25 1 0:22 / / rw - tmpfs tmpfs rw\n")
        tree.file("proc/7/comm", "vfioctl\n")
        tree.file("proc/7/cmdline", "vfioctl\0--secret\0")
        tree.link("proc/self", to: "7")
        tree.file("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n")
        tree.file("proc/cmdline", "root=/dev/vda intel_iommu=on\n")
    }

    func function(
        _ address: String, parent: String, ids: String, classID: String, driver: String? = nil, group: Int
    ) {
        let path = "sys/devices/pci0000:00/\(parent)\(address)"
        tree.file(
            path + "/uevent",
            (driver.map { "DRIVER=\($0)\n" } ?? "")
                + "PCI_CLASS=\(classID)\nPCI_ID=\(ids)\nPCI_SUBSYS_ID=1AF4:1100\nPCI_SLOT_NAME=\(address)\n")
        for (name, id) in zip(["vendor", "device"], ids.lowercased().split(separator: ":")) {
            tree.file(path + "/" + name, "0x\(id)\n")
        }
        tree.file(path + "/numa_node", "-1\n")
        tree.file(path + "/driver_override", "(null)\n")
        tree.link("sys/bus/pci/devices/" + address, to: "../../../devices/pci0000:00/\(parent)\(address)")
        let up = parent.isEmpty ? "../../../" : "../../../../"
        tree.link(path + "/iommu_group", to: "\(up)kernel/iommu_groups/\(group)")
        tree.link(
            "sys/kernel/iommu_groups/\(group)/devices/\(address)",
            to: "../../../../devices/pci0000:00/\(parent)\(address)")
        tree.file("sys/kernel/iommu_groups/\(group)/reserved_regions", "0x00000000fee00000 0x00000000feefffff msi\n")
        guard let driver else { return }
        tree.link(path + "/driver", to: "\(up)bus/pci/drivers/\(driver)")
        tree.link("sys/bus/pci/drivers/\(driver)/\(address)", to: "../../../../devices/pci0000:00/\(parent)\(address)")
    }

    /// A process with these links among its open files.
    func process(_ pid: Int, _ command: String, open: [String] = [], parent: Int = 1) {
        tree.file("proc/\(pid)/comm", command + "\n")
        tree.file("proc/\(pid)/stat", "\(pid) (\(command)) S \(parent) 0 0\n")
        tree.file("proc/\(pid)/cmdline", command + "\0--password\0")
        tree.directory("proc/\(pid)/fd")
        for (number, target) in open.enumerated() { tree.link("proc/\(pid)/fd/\(number)", to: target) }
    }

    var host: CapturedDirectory { get throws { try CapturedDirectory(tree.path) } }

    /// Where a capture can be written.
    var destination: String { work.path + "/capture" }

    /// Captures the host and writes it.
    func capture(_ change: (inout HostCapture) -> Void = { _ in }) throws -> (HostCapture, CapturedDirectory) {
        var capture = try HostCapture.take(of: host)
        change(&capture)
        var writer = try CaptureWriter(destination)
        try writer.write(capture.tree)
        writer.keep()
        return (capture, try CapturedDirectory(destination))
    }
}

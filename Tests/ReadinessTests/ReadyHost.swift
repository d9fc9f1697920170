internal import Host
internal import HostAccess
internal import PCI
internal import Readiness
internal import TestSupport
internal import Testing
internal import VFIO

/// A host in a directory that is ready for everything, until a test takes something away.
struct ReadyHost {
    let tree = TemporaryDirectory()
    static let address = "0000:01:00.0"
    static let home = "sys/devices/pci0000:00/0000:01:00.0"

    init() {
        // Bit 59 of a VT-d unit's capabilities is posted interrupts.
        tree.file("sys/class/iommu/dmar0/intel-iommu/cap", "8d2078c106f0466\n")
        function(Self.address, class: "20000", driver: "igb", group: 12)
        tree.file(Self.home + "/reset_method", "flr bus\n")
        tree.directory("sys/bus/pci/drivers/vfio-pci")
        for module in ["vfio", "vfio_pci", "vfio_iommu_type1", "iommufd"] { tree.directory("sys/module/" + module) }
        tree.file("proc/devices", "Character devices:\n  1 mem\n511 vfio-dev\n")
        tree.file("proc/interrupts", "  24:  0  0  IR-PCI-MSI-0000:01:00.0  0-edge  eth0\n")
        tree.file("proc/sys/kernel/osrelease", "6.12.1-amd64\n")
        tree.file("proc/cmdline", "root=/dev/sda1 quiet\n")
        tree.file("proc/cpuinfo", "vendor_id\t: GenuineIntel\n")
        tree.file("proc/self/status", "Name:\tvfioctl\nUid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000000000\n")
        memlock("unlimited            unlimited            bytes")
        tree.file("proc/self/mountinfo", "")
        tree.file("proc/swaps", "")
        tree.file("dev/kvm", "")
    }

    func function(_ address: String, class classID: String, driver: String?, group: Int?) {
        let home = "sys/devices/pci0000:00/" + address
        tree.file(
            home + "/uevent",
            (driver.map { "DRIVER=\($0)\n" } ?? "")
                + "PCI_CLASS=\(classID)\nPCI_ID=8086:10C9\nPCI_SUBSYS_ID=1AF4:1100\n")
        tree.link("sys/bus/pci/devices/" + address, to: "../../../devices/pci0000:00/" + address)
        if let driver {
            tree.directory("sys/bus/pci/drivers/" + driver)
            tree.link(home + "/driver", to: "../../../bus/pci/drivers/" + driver)
        }
        if let group {
            tree.link(home + "/iommu_group", to: "../../../kernel/iommu_groups/\(group)")
            tree.file("sys/kernel/iommu_groups/\(group)/type", "DMA-FQ\n")
        }
    }

    func memlock(_ rest: String) {
        tree.file(
            "proc/self/limits",
            "Limit                     Soft Limit           Hard Limit           Units     \n"
                + "Max locked memory         \(rest)     \n")
    }

    /// Everything that is found; `memory` is the guest's RAM.
    func check(_ devices: String..., memory: String? = nil, on wrap: (CapturedDirectory) -> any HostAccess = { $0 })
        throws -> Readiness
    {
        try check(devices, memory: memory, on: wrap)
    }

    private func check(_ devices: [String], memory: String?, on wrap: (CapturedDirectory) -> any HostAccess) throws
        -> Readiness
    {
        let host = wrap(try CapturedDirectory(tree.path))
        let snapshot = try HostSnapshot.read(from: host)
        return Readiness.check(
            host, snapshot, devices: try devices.flatMap { try DeviceSelector($0).devices(in: snapshot) },
            guestMemory: memory.flatMap { MemorySize($0) })
    }

    /// The first finding of that name.
    func finding(
        _ id: Finding.Subject, _ devices: String..., memory: String? = nil,
        on wrap: (CapturedDirectory) -> any HostAccess = { $0 }
    ) throws -> Finding {
        try #require(try check(devices, memory: memory, on: wrap).findings.first { $0.id == id })
    }

    /// Every finding of that name.
    func findings(
        _ id: Finding.Subject, _ devices: String..., memory: String? = nil,
        on wrap: (CapturedDirectory) -> any HostAccess = { $0 }
    ) throws -> [Finding] {
        try check(devices, memory: memory, on: wrap).findings.filter { $0.id == id }
    }
}

import HostSimulator

/// A small host in memory: a network card with SR-IOV, an NVMe disk, a bridge with two devices behind it in one group.
enum SampleHost {
    struct Function {
        var address: String
        var parent: String
        var ids: (vendor: String, device: String)
        var classID: String
        var driver: String?
        var group: Int
        var extra: [String: String] = [:]
    }

    static let functions = [
        Function(
            address: "0000:00:1c.0", parent: "", ids: ("8086", "a338"), classID: "060400", driver: "pcieport", group: 0),
        Function(
            address: "0000:01:00.0", parent: "0000:00:1c.0", ids: ("8086", "10c9"), classID: "020000", driver: "igb",
            group: 1,
            extra: [
                "sriov_totalvfs": "7", "sriov_numvfs": "0", "sriov_offset": "128", "sriov_stride": "2",
                "sriov_vf_device": "10ca", "sriov_drivers_autoprobe": "1",
            ]),
        Function(
            address: "0000:02:00.0", parent: "", ids: ("1b36", "0010"), classID: "010802", driver: "nvme", group: 2),
        Function(
            address: "0000:05:00.0", parent: "", ids: ("1b36", "000e"), classID: "060400", driver: nil, group: 5),
        Function(
            address: "0000:06:01.0", parent: "0000:05:00.0", ids: ("1234", "11e8"), classID: "00ff00", driver: nil,
            group: 5),
        Function(
            address: "0000:06:02.0", parent: "0000:05:00.0", ids: ("8086", "100e"), classID: "020000", driver: "e1000",
            group: 5),
    ]

    static func make(modules: Set<String> = ["vfio-pci", "pci-stub"]) -> SimulatedHost {
        var files: [String: String] = [
            "/sys/devices/system/cpu/possible": "0-3", "/sys/devices/system/cpu/online": "0-2",
            "/proc/sys/kernel/random/boot_id": "4f6e6520-6f66-4d61-6e79-426f6f744964", "/proc/1/comm": "init",
        ]
        var links = ["/proc/1/fd/0": "/dev/null"]
        for function in functions {
            let home = "/sys/devices/pci0000:00" + (function.parent.isEmpty ? "" : "/" + function.parent)
            let path = home + "/" + function.address
            files.merge(attributes(function, at: path)) { $1 }
            links["/sys/bus/pci/devices/" + function.address] = path
            links[path + "/iommu_group"] = "/sys/kernel/iommu_groups/\(function.group)"
            links["/sys/kernel/iommu_groups/\(function.group)/devices/\(function.address)"] = path
            if let driver = function.driver {
                links[path + "/driver"] = "/sys/bus/pci/drivers/" + driver
                links["/sys/bus/pci/drivers/\(driver)/\(function.address)"] = path
            }
        }
        for vector in 0..<3 {
            let irq = 30 + vector
            files["/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/msi_irqs/\(irq)"] = "msix"
            files["/sys/kernel/irq/\(irq)/actions"] = vector == 0 ? "eth0" : "eth0-TxRx-\(vector - 1)"
            files["/proc/irq/\(irq)/smp_affinity_list"] = "0-3"
            files["/proc/irq/\(irq)/effective_affinity_list"] = "0"
        }
        return SimulatedHost(files: files, links: links, modules: modules)
    }

    private static func attributes(_ function: Function, at path: String) -> [String: String] {
        var files = [
            "vendor": "0x" + function.ids.vendor, "device": "0x" + function.ids.device,
            "subsystem_vendor": "0x1af4", "subsystem_device": "0x1100", "class": "0x" + function.classID,
            "revision": "0x01", "numa_node": "0", "driver_override": "(null)",
            "uevent": (function.driver.map { ["DRIVER=" + $0] } ?? [])
                .appending(
                    "PCI_CLASS=\(String(Int(function.classID, radix: 16) ?? 0, radix: 16, uppercase: true))",
                    "PCI_ID=\(function.ids.vendor.uppercased()):\(function.ids.device.uppercased())",
                    "PCI_SUBSYS_ID=1AF4:1100", "PCI_SLOT_NAME=\(function.address)"
                ).joined(separator: "\n"),
        ]
        files.merge(function.extra) { $1 }
        return Dictionary(uniqueKeysWithValues: files.map { (path + "/" + $0.key, $0.value) })
    }
}

extension [String] {
    fileprivate func appending(_ lines: String...) -> [String] { self + lines }
}

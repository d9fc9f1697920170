public import PCI

/// Where a device is: its directory in sysfs, and the nodes through which VFIO gives it out.
public struct DeviceNodes: Hashable, Sendable {
    /// The name that VFIO knows it by, the last part of its sysfs path: `0000:01:00.0`.
    public var name: String
    /// The driver it is bound to.
    public var driver: String?
    /// The number of its IOMMU group; nil when no IOMMU translates for it.
    public var iommuGroup: Int?
    /// `/dev/vfio/devices/vfio0`: the device's own node, while a VFIO driver is bound and the kernel has such nodes.
    public var deviceNode: String?

    /// `/dev/vfio/12`: the group's node.
    public var groupNode: String? { iommuGroup.map { "/dev/vfio/\($0)" } }

    /// Looks a PCI device up in sysfs, below /sys/bus/pci/devices.
    public init(of address: PCIAddress) throws(VFIOError) {
        try self.init(of: address, calls: LiveKernel())
    }

    /// Looks a device up by its directory in sysfs: `/sys/bus/pci/devices/0000:01:00.0`, or a mediated device's.
    public init(at sysfsPath: String) throws(VFIOError) {
        try self.init(at: sysfsPath, calls: LiveKernel())
    }

    init(of address: PCIAddress, calls: some KernelCalls) throws(VFIOError) {
        try self.init(at: "/sys/bus/pci/devices/\(address)", calls: calls)
    }

    init(at sysfsPath: String, calls: some KernelCalls) throws(VFIOError) {
        let parts = sysfsPath.split(separator: "/")
        guard let last = parts.last, calls.entries(sysfsPath) != nil else {
            throw VFIOError(.noSuchDevice, sysfsPath, "there is no such device")
        }
        name = String(last)
        driver = calls.linkName(sysfsPath + "/driver")
        iommuGroup = calls.linkName(sysfsPath + "/iommu_group").flatMap { Int($0) }
        deviceNode = calls.entries(sysfsPath + "/vfio-dev")?.first { $0.hasPrefix("vfio") }
            .map { "/dev/vfio/devices/" + $0 }
    }
}

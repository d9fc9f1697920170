internal import HostAccess
internal import PCI

/// Who has devices open through VFIO.
///
/// A group's node, and a device's own (which holds the device also before it is bound to an iommufd), are seen by their
/// names. A device's descriptor that came from a group has none: once the group's descriptor is closed, it is all there
/// is, and the kernel tells which device it is only since 6.18 (`vfio-device-syspath` in fdinfo). Before that the device's
/// own `enable` tells apart those that can be meant: vfio-pci enables a device when it is first opened.
struct VFIOHolders {
    private let host: any HostAccess
    private let processes: ProcessTable
    /// Processes with descriptors of devices that the kernel names, by device.
    private var named: [PCIAddress: [ProcessTable.Holder]] = [:]
    /// Processes with descriptors of devices that nothing names.
    private var nameless: [ProcessTable.Holder] = []

    init(on host: any HostAccess, _ processes: ProcessTable) {
        self.host = host
        self.processes = processes
        for holder in processes.holders where !holder.vfioDescriptors.isEmpty {
            let devices = holder.vfioDescriptors.map { device(of: $0, of: holder.pid) }
            for device in Set(devices.compactMap(\.self)) { named[device, default: []].append(holder) }
            if devices.contains(nil) { nameless.append(holder) }
        }
    }

    /// Who has a device open.
    func uses(of device: Device) -> [Use] {
        guard let driver = device.driver, DriverPolicy.isVFIO(driver) else { return [] }
        var uses: [Use] = []
        var seen: Set<Int> = []
        let nodes = nodes(of: device)
        var open: [ProcessTable.Holder: [String]] = [:]
        for node in nodes {
            for holder in processes.holders(of: node) { open[holder, default: []].append(node) }
        }
        for (holder, open) in open.sorted(by: { $0.key.pid < $1.key.pid }) {
            seen.insert(holder.pid)
            uses.append(Use(by: .vfio, detail: "\(holder.description) has \(enumerated(open)) open"))
        }
        for holder in named[device.address] ?? [] where !seen.contains(holder.pid) {
            uses.append(Use(by: .vfio, detail: "\(holder.description) has \(device.address) open"))
        }
        return uses.isEmpty ? unexplained(device) : uses
    }

    private func nodes(of device: Device) -> [String] {
        var nodes = [device.vfio.group, device.vfio.cdev].compactMap(\.self)
        // A group without an IOMMU behind it has a node of another name.
        if let group = device.iommuGroup { nodes.append("/dev/vfio/noiommu-\(group)") }
        return nodes
    }

    /// A device that no name leads to, and that may be open all the same.
    private func unexplained(_ device: Device) -> [Use] {
        let count = host.optionalText(device.path + "/enable").flatMap { decimalAttribute($0.utf8) }
        switch count {
        case 0:
            return []
        case nil:
            // Whoever holds a group has its devices from there; the others can have any.
            return nameless.filter { !$0.nodes.contains { $0.hasPrefix("/dev/vfio/") && $0 != "/dev/vfio/vfio" } }
                .map {
                    Use(by: .vfio, detail: "\($0.description) has a VFIO device open, and which one cannot be seen")
                }
        case _?:
            if nameless.isEmpty, !processes.unseen.isEmpty {
                let detail = "it is open (its enable is not 0), by a process that cannot be seen"
                return [Use(by: .vfio, detail: detail)]
            }
            return nameless.map {
                Use(by: .vfio, detail: "\($0.description) has a VFIO device open, and nobody else has this one")
            }
        }
    }

    /// The device that the kernel says a descriptor is of.
    private func device(of descriptor: String, of pid: Int) -> PCIAddress? {
        let key = "vfio-device-syspath:"
        guard let text = host.optionalText("/proc/\(pid)/fdinfo/\(descriptor)"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix(key) }),
            let name = line.split(separator: "/").last
        else { return nil }
        return PCIAddress(name)
    }
}

internal import Host
internal import HostAccess
internal import PCI

/// Whether all of a physical function's VFs can have bus numbers.
///
/// A VF's routing id follows from the offset and stride of its PF; with the PF's own bus full, VFs take the next bus
/// numbers, which the bridge above must have been given at boot (drivers/pci/iov.c, `pci_iov_virtfn_bus`).
struct VirtualFunctionBuses {
    private let device: Device
    private let total: Int
    /// How many of them have a bus number.
    let fitting: Int
    /// The bus of the last of all.
    private let lastBus: Int
    private let limit: Int
    /// What the limit follows from.
    private let reason: String

    /// Nil for a function without VFs, and where the kernel does not say enough: offset and stride may be 0 while there are
    /// no VFs.
    init?(of device: Device, _ files: HostFiles) {
        let routingIDs = 0...0xffff
        guard let sriov = device.sriov, let offset = sriov.offset, let stride = sriov.stride, offset > 0,
            routingIDs.contains(offset),
            routingIDs.contains(stride), (1...0xffff).contains(sriov.totalVFs), stride > 0 || sriov.totalVFs == 1
        else { return nil }
        self.device = device
        total = sriov.totalVFs
        if let bridge = Self.bridge(above: device, files) {
            let path = "/sys/bus/pci/devices/\(bridge)/subordinate_bus_number"
            guard let last = files.text(path).content.flatMap({ UInt8($0) }), last >= device.address.bus else {
                return nil
            }
            limit = Int(last)
            reason = "\(bridge) leads to buses up to \(hexadecimal(last, width: 2)) (\(path))"
        } else {
            limit = 0xff
            reason = "no bridge above it limits them"
        }
        let first = Int(device.address.routingID) + offset
        let room = limit << 8 | 0xff
        lastBus = (first + (total - 1) * stride) >> 8
        fitting = first > room ? 0 : stride == 0 ? 1 : min(total, (room - first) / stride + 1)
    }

    /// The bridge whose bus the device is on, from the path that its link names; nil on a root bus.
    private static func bridge(above device: Device, _ files: HostFiles) -> PCIAddress? {
        do {
            return PCIAddress(try files.host.readLink(device.path).split(separator: "/").dropLast().last ?? "")
        } catch {
            return nil
        }
    }

    var finding: Finding {
        guard fitting < total else {
            return Finding(
                .deviceVFBuses, .ok,
                "all \(total) of its virtual functions have bus numbers, the last \(hexadecimal(lastBus, width: 2)): \(reason)",
                device: device.address)
        }
        return Finding(
            .deviceVFBuses, .warning,
            "only \(fitting) of its \(total) virtual functions have bus numbers: the last would be on bus "
                + "\(hexadecimal(lastBus, width: 2)), and \(reason)",
            cure: "turn SR-IOV and ARI on in the firmware's setup, or start the kernel with pci=assign-busses",
            device: device.address)
    }
}

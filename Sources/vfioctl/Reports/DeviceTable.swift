internal import Host
internal import PCI

/// `list` for people: one line a device.
struct DeviceTable {
    private var table = Table("ADDRESS", "GROUP", "NODE", "DRIVER", "IDS", "USED BY", "DEVICE")

    init(_ devices: [Device], names: some DeviceNames) {
        for device in devices {
            table.append(
                device.address.description, device.iommuGroup.map(String.init) ?? "-",
                device.numaNode.map(String.init) ?? "-", device.driver ?? "-", device.ids, Self.users(of: device),
                Self.summary(of: device, names: names))
        }
    }

    func rendered(colours: Bool) -> String { table.rendered(colours: colours) }

    /// The kinds of users, each once: "mount,holder".
    private static func users(of device: Device) -> String {
        var kinds: [String] = []
        for use in device.uses where !kinds.contains(use.by.rawValue) { kinds.append(use.by.rawValue) }
        return kinds.isEmpty ? "-" : kinds.joined(separator: ",")
    }

    /// What hangs off it, what it is called, and its place in SR-IOV.
    private static func summary(of device: Device, names: some DeviceNames) -> String {
        var text = (device.interfaces + device.blockDevices).joined(separator: ",")
        if !text.isEmpty { text += ": " }
        text += device.name(names)
        if let sriov = device.sriov {
            text += " [\(sriov.virtualFunctions.count) of \(sriov.totalVFs) VFs]"
        } else if let physicalFunction = device.physicalFunction, let index = device.vfIndex {
            text += " [VF \(index) of \(physicalFunction)]"
        }
        return text
    }
}

extension Device {
    /// Vendor and device id as lspci prints them: `8086:10c9`.
    var ids: String { hexadecimal(identity.vendorID, width: 4) + ":" + hexadecimal(identity.deviceID, width: 4) }

    /// What people call it; the class where the device itself has no name.
    func name(_ names: some DeviceNames) -> String {
        let vendor = names.vendor(identity.vendorID) ?? "vendor " + hexadecimal(identity.vendorID, width: 4)
        if let device = names.device(identity.vendorID, identity.deviceID) { return vendor + " " + device }
        let kind = names.classification(classID) ?? "class " + hexadecimal(classID, width: 6)
        return vendor + " " + kind
    }
}

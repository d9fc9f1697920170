internal import Host
internal import PCI

/// `list` for people: one line a device.
struct DeviceTable {
    private var table = Table("ADDRESS", "GROUP", "NODE", "DRIVER", "IDS", "USED BY", "DEVICE")

    init(_ devices: [Device], names: some DeviceNames) {
        // A host has far fewer kinds of devices than devices.
        var labels: [DeviceKind: (ids: String, name: String)] = [:]
        for device in devices {
            let kind = DeviceKind(device)
            let label = labels[kind] ?? (device.ids, device.name(names))
            labels[kind] = label
            table.append(
                device.address.description, device.iommuGroup.map(String.init) ?? "-",
                device.numaNode.map(String.init) ?? "-", device.driver ?? "-", label.ids, Self.users(of: device),
                Self.summary(of: device, name: label.name))
        }
    }

    func rendered(colours: Bool) -> String { table.rendered(colours: colours) }

    private struct DeviceKind: Hashable {
        var ids: UInt32
        var classID: UInt32

        init(_ device: Device) {
            ids = UInt32(device.identity.vendorID) << 16 | UInt32(device.identity.deviceID)
            classID = device.classID
        }
    }

    /// The kinds of users, each once: "mount,holder". Nobody is "-", and "?" where one could not look everywhere.
    private static func users(of device: Device) -> String {
        guard !device.uses.isEmpty else { return device.unseen.isEmpty ? "-" : "?" }
        var kinds: [String] = []
        for use in device.uses where !kinds.contains(use.by.rawValue) { kinds.append(use.by.rawValue) }
        return kinds.joined(separator: ",")
    }

    /// What hangs off it, what it is called, and its place in SR-IOV.
    private static func summary(of device: Device, name: String) -> String {
        var text = name
        if !device.interfaces.isEmpty || !device.blockDevices.isEmpty {
            text = (device.interfaces + device.blockDevices).joined(separator: ",") + ": " + text
        }
        if let sriov = device.sriov {
            text += " [\(sriov.virtualFunctions.count) of \(sriov.totalVFs) VFs]"
        } else if let physicalFunction = device.physicalFunction, let index = device.vfIndex {
            text += " [VF \(index) of "
            text += physicalFunction.description
            text += "]"
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

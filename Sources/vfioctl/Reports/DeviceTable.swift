internal import Host
internal import PCI
internal import Rendering

/// `list` for people: one line a device.
struct DeviceTable {
    private var table = Table(
        .whole("ADDRESS"), .whole("GROUP"), .whole("NODE"), .whole("DRIVER"), .whole("IDS"), .list("USED BY"),
        .text("DEVICE"))

    /// What every device of a kind is called. A host has far fewer kinds of devices than devices.
    private var labels: [DeviceKind: (ids: String, name: String)] = [:]

    /// The end of the line that is being made; one for all of them.
    private var place = PlainText()

    init(_ devices: [Device], names: some DeviceNames) {
        let devices = devices.span
        for index in devices.indices { add(devices[index], names) }
    }

    func rendered(width: Int?, colours: Bool) -> String { table.rendered(width: width, colours: colours) }

    private mutating func add(_ device: borrowing Device, _ names: some DeviceNames) {
        let label = label(of: device, names)
        table.add(device.address)
        table.add(device.iommuGroup)
        table.add(device.numaNode)
        table.add(device.driver ?? "-")
        table.add(label.ids)
        table.add(Self.users(device))
        let children =
            device.interfaces.isEmpty && device.blockDevices.isEmpty
            ? "" : (device.interfaces + device.blockDevices).joined(separator: ",") + ": "
        placeInSRIOV(device)
        table.add(children.isEmpty ? label.name : children + label.name, keeping: place)
    }

    private struct DeviceKind: Hashable {
        var ids: UInt32
        var classID: UInt32
    }

    private mutating func label(of device: borrowing Device, _ names: some DeviceNames) -> (ids: String, name: String) {
        let ids = UInt32(device.identity.vendorID) << 16 | UInt32(device.identity.deviceID)
        let kind = DeviceKind(ids: ids, classID: device.classID)
        if let label = labels[kind] { return label }
        let label = (device.ids, device.name(names))
        labels[kind] = label
        return label
    }

    /// The kinds of users, each once: "mount,holder". Nobody is "-", and "?" where one could not look everywhere.
    private static func users(_ device: borrowing Device) -> String {
        let uses = device.uses
        guard !uses.isEmpty else { return device.unseen.isEmpty ? "-" : "?" }
        var kinds: [String] = []
        for use in uses where !kinds.contains(use.by.rawValue) { kinds.append(use.by.rawValue) }
        return kinds.joined(separator: ",")
    }

    /// "[0 of 7 VFs]", "[VF 3 of 0000:01:00.0]", or nothing.
    private mutating func placeInSRIOV(_ device: borrowing Device) {
        place.removeAll()
        if let sriov = device.sriov {
            place.append("[")
            place.append(sriov.virtualFunctions.count)
            place.append(" of ")
            place.append(sriov.totalVFs)
            place.append(" VFs]")
        } else if let physicalFunction = device.physicalFunction, let index = device.vfIndex {
            place.append("[VF ")
            place.append(index)
            place.append(" of ")
            place.append(physicalFunction)
            place.append("]")
        }
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

internal import Host
internal import PCI
internal import Rendering

/// `list` for people: one line a device.
struct DeviceTable {
    private var table = Table(
        .whole("ADDRESS"), .whole("GROUP"), .whole("NODE"), .whole("DRIVER"), .whole("IDS"), .list("USED BY"),
        .text("DEVICE"))

    private struct Label {
        var ids: Table.Text
        var name: String
        var nameCell: Table.Text
    }

    /// What every device of a kind is called. A host has far fewer kinds of devices than devices.
    private var labels: [DeviceKind: Label] = [:]

    /// The last device's: neighbours mostly are of one kind.
    private var last: (kind: DeviceKind, label: Label)?

    /// The end of the line that is being made; one for all of them.
    private var place = PlainText()

    init(_ devices: [Device], names: some DeviceNames) {
        for index in devices.indices { add(devices, index, names) }
    }

    func rendered(width: Int?, colours: Bool) -> String { table.rendered(width: width, colours: colours) }

    /// Adds one of `devices`. It is looked at where it stands: a device is large, and there are thousands.
    private mutating func add(_ devices: [Device], _ index: Int, _ names: some DeviceNames) {
        let label = label(devices[index].identity, devices[index].classID, names)
        table.add(devices[index].address)
        table.add(devices[index].iommuGroup)
        table.add(devices[index].numaNode)
        table.add(devices[index].driver ?? "-")
        table.add(label.ids)
        table.add(Self.users(devices[index].uses, isAllSeen: devices[index].unseen.isEmpty))
        setPlace(devices[index].sriov, devices[index].physicalFunction, devices[index].vfIndex)
        if devices[index].interfaces.isEmpty, devices[index].blockDevices.isEmpty {
            table.add(label.nameCell, keeping: place)
        } else {
            let children = (devices[index].interfaces + devices[index].blockDevices).joined(separator: ",")
            table.add(Table.Text(children + ": " + label.name), keeping: place)
        }
    }

    private struct DeviceKind: Hashable {
        var ids: UInt32
        var classID: UInt32
    }

    private mutating func label(
        _ identity: DeviceIdentity, _ classID: UInt32, _ names: some DeviceNames
    ) -> Label {
        let ids = UInt32(identity.vendorID) << 16 | UInt32(identity.deviceID)
        let kind = DeviceKind(ids: ids, classID: classID)
        if let last, last.kind == kind { return last.label }
        let label = labels[kind] ?? newLabel(identity, classID, names)
        labels[kind] = label
        last = (kind, label)
        return label
    }

    private func newLabel(_ identity: DeviceIdentity, _ classID: UInt32, _ names: some DeviceNames) -> Label {
        let name = identity.name(classID: classID, names)
        return Label(ids: Table.Text(identity.text), name: name, nameCell: Table.Text(name))
    }

    /// The kinds of users, each once: "mount,holder". Nobody is "-", and "?" where one could not look everywhere.
    private static func users(_ uses: [Use], isAllSeen: Bool) -> String {
        guard !uses.isEmpty else { return isAllSeen ? "-" : "?" }
        var kinds: [String] = []
        for use in uses where !kinds.contains(use.by.rawValue) { kinds.append(use.by.rawValue) }
        return kinds.joined(separator: ",")
    }

    /// "[0 of 7 VFs]", "[VF 3 of 0000:01:00.0]", or nothing.
    private mutating func setPlace(_ sriov: SRIOV?, _ physicalFunction: PCIAddress?, _ vfIndex: Int?) {
        place.removeAll()
        if let sriov {
            place.append("[")
            place.append(sriov.virtualFunctions.count)
            place.append(" of ")
            place.append(sriov.totalVFs)
            place.append(" VFs]")
        } else if let physicalFunction, let vfIndex {
            place.append("[VF ")
            place.append(vfIndex)
            place.append(" of ")
            place.append(physicalFunction)
            place.append("]")
        }
    }
}

extension DeviceIdentity {
    /// Vendor and device id as lspci prints them: `8086:10c9`.
    var text: String { hexadecimal(vendorID, width: 4) + ":" + hexadecimal(deviceID, width: 4) }

    /// What people call it; the class where the device itself has no name.
    func name(classID: UInt32, _ names: some DeviceNames) -> String {
        let vendor = names.vendor(vendorID) ?? "vendor " + hexadecimal(vendorID, width: 4)
        if let device = names.device(vendorID, deviceID) { return vendor + " " + device }
        let kind = names.classification(classID) ?? "class " + hexadecimal(classID, width: 6)
        return vendor + " " + kind
    }
}

extension Device {
    /// Vendor and device id as lspci prints them: `8086:10c9`.
    var ids: String { identity.text }

    /// What people call it; the class where the device itself has no name.
    func name(_ names: some DeviceNames) -> String { identity.name(classID: classID, names) }
}

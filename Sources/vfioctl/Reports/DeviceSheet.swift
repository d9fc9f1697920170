internal import Host
internal import PCI

/// `show` for people: one fact a line.
struct DeviceSheet {
    var text: String

    init(_ device: Device, in snapshot: HostSnapshot, names: some DeviceNames) {
        var lines: [(String, String)] = [
            ("name", device.name(names)),
            (
                "class",
                "\(names.classification(device.classID) ?? "unknown") (\(hexadecimal(device.classID, width: 6)))"
            ),
            ("ids", "\(device.ids), subsystem \(Self.subsystem(device)), revision \(Self.revision(device))"),
            ("driver", device.driver ?? "none"),
        ]
        if let driver = device.driverOverride { lines.append(("override", "held for \(driver)")) }
        lines.append(("NUMA node", device.numaNode.map(String.init) ?? "unknown"))
        lines.append(("IOMMU group", Self.group(device, in: snapshot)))
        lines += Self.functions(device)
        if !device.interfaces.isEmpty { lines.append(("interfaces", device.interfaces.joined(separator: ", "))) }
        if !device.blockDevices.isEmpty { lines.append(("disks", device.blockDevices.joined(separator: ", "))) }
        lines += Self.classDevices(device)
        let nodes = [device.vfio.group, device.vfio.cdev].compactMap(\.self)
        if !nodes.isEmpty { lines.append(("VFIO nodes", nodes.joined(separator: ", "))) }
        for use in device.uses { lines.append(("used by", "\(use.by.rawValue): \(use.detail)")) }
        for sentence in device.unseen { lines.append(("used by", sentence)) }
        if device.uses.isEmpty, device.unseen.isEmpty { lines.append(("used by", "nobody")) }
        for disk in device.signatures { lines.append(("warning", disk.description)) }
        for note in snapshot.notes { lines.append(("note", note)) }
        for problem in device.problems { lines.append(("problem", problem)) }

        text = "\(device.address)\n"
        for (label, value) in lines {
            text += "  " + label + String(repeating: " ", count: 13 - label.count) + value.printable + "\n"
        }
    }

    private static func subsystem(_ device: Device) -> String {
        hexadecimal(device.identity.subsystemVendorID, width: 4) + ":"
            + hexadecimal(device.identity.subsystemDeviceID, width: 4)
    }

    private static func revision(_ device: Device) -> String {
        device.revision.map { hexadecimal($0, width: 2) } ?? "unknown"
    }

    private static func group(_ device: Device, in snapshot: HostSnapshot) -> String {
        guard let id = device.iommuGroup else { return "none" }
        guard let group = snapshot.group(id) else { return "\(id)" }
        let others = group.devices.filter { $0 != device.address }.map(\.description)
        let verdict = snapshot.viability(of: group)
        return "\(id), " + (others.isEmpty ? "alone" : "with " + others.joined(separator: ", "))
            + (verdict.isViable ? "; viable" : "; not viable: " + verdict.reasons.joined(separator: ", "))
    }

    private static func classDevices(_ device: Device) -> [(String, String)] {
        [
            ("DRM", device.drmCards + device.renderNodes), ("framebuffers", device.framebuffers),
            ("InfiniBand", device.infinibandDevices), ("SCSI hosts", device.scsiHosts), ("FC hosts", device.fcHosts),
        ].filter { !$0.1.isEmpty }.map { ($0.0, $0.1.joined(separator: ", ")) }
    }

    private static func functions(_ device: Device) -> [(String, String)] {
        var lines: [(String, String)] = []
        if let sriov = device.sriov {
            lines.append(("SR-IOV", "\(sriov.virtualFunctions.count) of \(sriov.totalVFs) virtual functions"))
            for (index, address) in sriov.virtualFunctions.enumerated() {
                lines.append(("  VF \(index)", "\(address)"))
            }
        }
        if let physicalFunction = device.physicalFunction {
            lines.append(("VF", "\(device.vfIndex.map(String.init) ?? "unknown") of \(physicalFunction)"))
        }
        return lines
    }
}

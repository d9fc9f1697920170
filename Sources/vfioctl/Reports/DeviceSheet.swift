internal import Host
internal import PCI
internal import Rendering

/// `show` for people: one fact a line, in groups: the device, its place in the host, its users, its hardware, and what its
/// configuration space can do.
struct DeviceSheet {
    /// The whole sheet.
    let text: String

    init(_ device: Device, in snapshot: HostSnapshot, names: some DeviceNames) {
        let groups = [
            Self.identity(device, in: snapshot, names) + Self.driver(device),
            Self.place(device, in: snapshot),
            Self.users(device, in: snapshot),
            Self.hardware(device.hardware),
            Self.regions(device.hardware),
            Self.capabilities(device.hardware),
            Self.remarks(device, in: snapshot),
        ]
        let sheet = groups.filter { !$0.isEmpty }.map { group in
            group.map { Self.line($0.label, $0.value) }.joined()
        }
        text = "\(device.address)\n" + sheet.joined(separator: "\n")
    }

    private typealias Line = (label: String, value: String)

    // MARK: groups

    private static func identity(_ device: Device, in snapshot: HostSnapshot, _ names: some DeviceNames) -> [Line] {
        let classification = names.classification(device.classID) ?? "unknown"
        let identity = snapshot.stableIdentity(of: device).map { [("identity", "\($0)")] } ?? []
        return identity + [
            ("name", device.name(names)),
            ("class", "\(classification) (\(hexadecimal(device.classID, width: 6)))"),
            (
                "ids",
                "\(device.ids), subsystem \(hexadecimal(device.identity.subsystemVendorID, width: 4)):"
                    + hexadecimal(device.identity.subsystemDeviceID, width: 4)
                    + ", revision \(device.revision.map { hexadecimal($0, width: 2) } ?? "unknown")"
            ),
        ]
    }

    private static func driver(_ device: Device) -> [Line] {
        var lines: [Line] = [("driver", device.driver ?? "none")]
        if let driver = device.driverOverride { lines.append(("override", "held for \(driver)")) }
        if let modules = device.hardware?.modules, !modules.isEmpty {
            lines.append(("modules", modules.joined(separator: ", ")))
        }
        return lines
    }

    private static func place(_ device: Device, in snapshot: HostSnapshot) -> [Line] {
        var lines: [Line] = [
            ("NUMA node", device.numaNode.map(String.init) ?? "unknown"),
            ("IOMMU group", group(device, in: snapshot)),
        ]
        if let node = device.hardware?.firmwareNode {
            lines.append(("firmware", (node.kind == .acpi ? "ACPI " : "device tree ") + node.path))
        }
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

    private static func group(_ device: Device, in snapshot: HostSnapshot) -> String {
        guard let id = device.iommuGroup else { return "none" }
        guard let group = snapshot.group(id) else { return "\(id)" }
        let others = group.devices.filter { $0 != device.address }.map(\.description)
        let verdict = snapshot.viability(of: group)
        return "\(id), " + (others.isEmpty ? "alone" : "with " + others.joined(separator: ", "))
            + (verdict.isViable ? "; viable" : "; not viable: " + verdict.reasons.joined(separator: ", "))
    }

    private static func users(_ device: Device, in snapshot: HostSnapshot) -> [Line] {
        var lines: [Line] = []
        if !device.interfaces.isEmpty { lines.append(("interfaces", device.interfaces.joined(separator: ", "))) }
        if !device.blockDevices.isEmpty { lines.append(("disks", device.blockDevices.joined(separator: ", "))) }
        lines += classDevices(device)
        let nodes = [device.vfio.group, device.vfio.cdev].compactMap(\.self)
        if !nodes.isEmpty { lines.append(("VFIO nodes", nodes.joined(separator: ", "))) }
        lines += device.uses.map { ("used by", "\($0.by.rawValue): \($0.detail)") }
        lines += device.unseen.map { ("used by", $0) }
        if device.uses.isEmpty, device.unseen.isEmpty { lines.append(("used by", "nobody")) }
        lines += device.signatures.map { ("warning", $0.description) }
        return lines
    }

    private static func classDevices(_ device: Device) -> [Line] {
        [
            ("DRM", device.drmCards + device.renderNodes), ("framebuffers", device.framebuffers),
            ("InfiniBand", device.infinibandDevices), ("SCSI hosts", device.scsiHosts), ("FC hosts", device.fcHosts),
        ].filter { !$0.1.isEmpty }.map { ($0.0, $0.1.joined(separator: ", ")) }
    }

    private static func hardware(_ hardware: DeviceHardware?) -> [Line] {
        guard let hardware else { return [] }
        var lines: [Line] = []
        if let serial = hardware.serial { lines.append(("serial", serial)) }
        if let isBootVGA = hardware.isBootVGA { lines.append(("boot VGA", isBootVGA ? "yes" : "no")) }
        if let power = power(hardware.power) { lines.append(("power", power)) }
        if let link = hardware.link { lines.append(("link", self.link(link))) }
        lines.append(("reset", reset(hardware)))
        return lines
    }

    private static func power(_ power: DevicePower) -> String? {
        let parts = [
            power.state,
            power.runtimeStatus.map { status in
                "runtime power management: \(status)"
                    + (power.runtimeControl.map { $0 == "auto" ? ", may sleep" : ", kept awake" } ?? "")
            },
            power.d3coldAllowed.map { $0 ? "D3cold allowed" : "D3cold not allowed" },
        ]
        let text = parts.compactMap(\.self).joined(separator: "; ")
        return text.isEmpty ? nil : text
    }

    private static func link(_ link: DeviceLink) -> String {
        func part(_ speed: LinkSpeed?, _ width: Int?) -> String {
            "\(speed?.description ?? "unknown speed") x\(width.map(String.init) ?? "?")"
        }
        let best = part(link.bestSpeed, link.bestWidth)
        if link.width == 0 { return "down, at best \(best)" }
        return part(link.speed, link.width) + (link.isBelowBest ? ", below its best: \(best)" : ", its best: \(best)")
    }

    private static func reset(_ hardware: DeviceHardware) -> String {
        guard hardware.canReset else { return "none: the kernel cannot reset this function alone" }
        guard let methods = hardware.resetMethods else { return "yes (this kernel does not say how)" }
        return methods.isEmpty ? "all methods are switched off" : methods.joined(separator: ", ")
    }

    private static func regions(_ hardware: DeviceHardware?) -> [Line] {
        guard let hardware else { return [] }
        var lines = hardware.bars.map { ("BAR \($0.index)", region($0)) }
        if let rom = hardware.rom {
            lines.append(("ROM", ByteSize.text(rom.size) + place(rom.address) + (rom.isEnabled ? ", enabled" : "")))
        }
        lines += hardware.vfBARs.map { ("VF BAR \($0.index)", region($0) + ", of each virtual function") }
        return lines
    }

    private static func region(_ bar: BAR) -> String {
        switch bar.kind {
        case .io: "I/O ports, \(ByteSize.text(bar.size))" + place(bar.address)
        case .memory:
            "memory, \(bar.width)-bit" + (bar.isPrefetchable ? ", prefetchable" : "")
                + ", \(ByteSize.text(bar.size))" + place(bar.address)
        }
    }

    private static func place(_ address: UInt64?) -> String {
        address.map { " at 0x" + hexadecimal($0, width: 1) } ?? ", without a place"
    }

    private static func capabilities(_ hardware: DeviceHardware?) -> [Line] {
        guard let hardware, hardware.knowsCapabilities, let space = hardware.configuration else { return [] }
        return space.allCapabilities.map { capability in
            let summary = CapabilitySummary.text(of: capability)
            return (
                "at " + hexadecimal(capability.offset, width: 2),
                capability.name + (summary.isEmpty ? "" : ": " + summary)
            )
        }
    }

    private static func remarks(_ device: Device, in snapshot: HostSnapshot) -> [Line] {
        snapshot.notes.map { ("note", $0) } + (device.hardware?.notes ?? []).map { ("note", $0) }
            + device.problems.map { ("problem", $0) }
    }

    // MARK: lines

    /// A label and its value, which stand in columns.
    private static func line(_ label: String, _ value: String) -> String {
        "  " + label + String(repeating: " ", count: max(13 - label.count, 1)) + value.printable + "\n"
    }
}

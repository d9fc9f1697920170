internal import Host
internal import PCI

/// The findings about one device, as if it and the others named with it were given to vfio-pci now.
struct DeviceReadiness {
    private let device: Device
    private let chosen: Set<PCIAddress>
    private let snapshot: HostSnapshot
    private let files: HostFiles
    /// The nodes of the devices named, where they are known.
    private let nodes: Set<Int>

    init(_ device: Device, among devices: [Device], _ snapshot: HostSnapshot, _ files: HostFiles) {
        self.device = device
        chosen = Set(devices.map(\.address))
        nodes = Set(devices.compactMap(\.numaNode))
        self.snapshot = snapshot
        self.files = files
    }

    var findings: [Finding] {
        guard !device.isPCIBridge else {
            return [
                finding(
                    .deviceKind, .failure, "it is a PCI bridge, which no guest can be given",
                    cure: "name the devices behind it")
            ]
        }
        return group + uses + [driver, reset, bootVGA, virtualFunctions].compactMap(\.self) + problems
    }

    private func finding(_ id: Finding.Subject, _ level: Finding.Level, _ evidence: String, cure: String? = nil)
        -> Finding
    {
        Finding(id, level, evidence, cure: cure, device: device.address)
    }

    // MARK: its group

    private var group: [Finding] {
        guard let id = device.iommuGroup, let group = snapshot.group(id) else {
            return [
                finding(
                    .deviceGroup, .failure, "it is in no IOMMU group (\(device.path)/iommu_group)",
                    cure: "turn the IOMMU on, as the finding about it says")
            ]
        }
        let others = group.devices.count - 1
        let company = others == 0 ? "alone" : "with \(others) other \(others == 1 ? "device" : "devices")"
        return [finding(.deviceGroup, .ok, "it is in IOMMU group \(id), \(company)"), viability(of: group)]
            + reservedMemory(of: group)
    }

    private func viability(of group: IOMMUGroup) -> Finding {
        let verdict = snapshot.viability(of: group) {
            chosen.contains($0) ? "vfio-pci" : snapshot.device(at: $0)?.driver
        }
        guard !verdict.isViable else {
            return finding(.deviceViability, .ok, "group \(group.id) can be given to a guest once the device is bound")
        }
        return finding(
            .deviceViability, .failure, "group \(group.id) cannot be given to a guest: \(list(verdict.reasons))",
            cure: "give the whole group away (vfioctl bind --group), or move the device to another slot")
    }

    /// Regions of type `direct` are memory that the firmware goes on using the device for (Intel's RMRR): since 3.16 the
    /// kernel refuses such devices.
    private func reservedMemory(of group: IOMMUGroup) -> [Finding] {
        let direct = group.reserved.filter { $0.type == "direct" }
        guard !direct.isEmpty else { return [] }
        let ranges = direct.map { "0x\(hexadecimal($0.start, width: 1))-0x\(hexadecimal($0.end, width: 1))" }
        return [
            finding(
                .deviceReservedMemory, .failure,
                "the firmware keeps \(list(ranges)) mapped for it (direct in reserved_regions of group \(group.id)): the "
                    + "kernel refuses to give it out",
                cure: "look for an option in the firmware's setup, or of the device, that releases it (RMRR)")
        ]
    }

    // MARK: its users

    private var uses: [Finding] {
        guard !device.uses.isEmpty else {
            let known = device.unseen.isEmpty
            return [
                finding(
                    .deviceUse, known ? .ok : .warning,
                    known
                        ? "nobody uses it" : "nobody is known to use it, but \(device.unseen.joined(separator: "; "))")
            ]
        }
        return device.uses.map { finding(.deviceUse, .failure, $0.detail, cure: Self.cure(of: $0.by)) }
    }

    private static func cure(of use: Use.Kind) -> String {
        switch use {
        case .mount: "unmount it"
        case .swap: "turn it off (swapoff)"
        case .holder: "take it out of the volume, array or file system that holds it"
        case .address, .route, .session: "move the host's traffic to another interface"
        case .enslaved: "take it out of the bond, team or bridge"
        case .stacked: "remove what is stacked on it"
        case .vf: "give its virtual functions back first (vfioctl restore, vfioctl sriov destroy)"
        case .display, .console: "move the display and the console to another device"
        case .process: "end the process, or have it close the device"
        case .vfio: "shut the guest down, or have it give the device up"
        }
    }

    // MARK: the device itself

    /// Drivers of graphics cards, whose removal waits for every client: a display, a compute job, a daemon.
    private static let graphicsDrivers: Set<String> = ["nvidia", "nouveau", "amdgpu", "radeon", "i915", "xe"]

    private var driver: Finding {
        guard let driver = device.driver else {
            let override = device.driverOverride.map { ", and its driver_override is \($0)" } ?? ""
            return finding(.deviceDriver, .ok, "no driver has it\(override)")
        }
        if DriverPolicy.isVFIO(driver) { return finding(.deviceDriver, .ok, "\(driver) has it") }
        if Self.graphicsDrivers.contains(driver) {
            return finding(
                .deviceDriver, .warning,
                "\(driver) has it, a graphics driver: unbinding it waits for everybody who uses the card"
                    + (driver == "nvidia" ? ", nvidia-persistenced among them" : ""),
                cure: "end the display and the jobs on it first"
                    + (driver == "nvidia" ? " (systemctl stop nvidia-persistenced)" : "")
                    + ", or have vfio-pci take it at boot")
        }
        return finding(
            .deviceDriver, .ok,
            "\(driver) has it (\(device.path)/driver); vfioctl bind takes it, vfioctl restore gives it back")
    }

    private var reset: Finding {
        let path = device.path + "/reset_method"
        if let methods = files.text(path).content, !methods.isEmpty {
            return finding(.deviceReset, .ok, "it can be reset: \(methods) (reset_method)")
        }
        // Kernels before 5.15 have no reset_method; `reset` alone says that there is some way.
        if files.exists(device.path + "/reset") { return finding(.deviceReset, .ok, "it can be reset (reset)") }
        return finding(
            .deviceReset, .warning,
            "the kernel knows no way to reset it (no reset_method): a guest gets it, and leaves it, as "
                + "it happens to be")
    }

    /// `boot_vga`: the card that the firmware used. It has run the card's ROM, and keeps a copy that it wrote to.
    private var bootVGA: Finding? {
        let path = device.path + "/boot_vga"
        guard files.text(path).content == "1" else { return nil }
        return finding(
            .deviceBootVGA, .warning,
            "the firmware and the boot console use this card (\(path)): the screen goes dark when it is given away, and a "
                + "guest may need the card's ROM as a file",
            cure: "make another card, or the CPU's own graphics, the first in the firmware's setup")
    }

    private var virtualFunctions: Finding? { VirtualFunctionBuses(of: device, files)?.finding }

    private var problems: [Finding] {
        device.problems.map { finding(.deviceAttributes, .warning, $0) }
    }

    // MARK: where it sits

    /// The NUMA node, where the host has several.
    func placement(on host: NUMANodes) -> [Finding] {
        guard host.numbers.count > 1 else { return [] }
        let path = device.path + "/numa_node"
        guard let node = device.numaNode else {
            return [
                finding(
                    .deviceNUMA, .note,
                    "its NUMA node is not known (\(path) is -1), and the host has \(host.numbers.count)")
            ]
        }
        guard nodes.count > 1 else { return [finding(.deviceNUMA, .ok, "it is on NUMA node \(node) (\(path))")] }
        return [
            finding(
                .deviceNUMA, .warning,
                "it is on NUMA node \(node) (\(path)), and the devices named are on nodes "
                    + "\(list(nodes.sorted().map(String.init))): some of them are far from the guest's memory",
                cure: "take devices of one node, or give the guest a node for each")
        ]
    }
}

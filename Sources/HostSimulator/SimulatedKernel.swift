internal import HostAccess
internal import PCI
internal import SystemPackage

/// What a kernel does at each write, on a tree in memory: the PCI bus, its drivers and its devices.
///
/// Each answer is the one measured on a real kernel (6.12).
struct SimulatedKernel {
    var tree: VirtualTree
    /// The PCI driver modules that can be loaded.
    var modules: Set<String>
    /// Every device's own directory, by address.
    var devices: [PCIAddress: String] = [:]
    /// Which driver claims a device by its ids: learnt from what the capture has bound.
    var claims: [String: String] = [:]
    /// Drivers that claim a single device, whatever others of its ids are bound to.
    var nativeDrivers: [PCIAddress: String] = [:]

    static let bus = "/sys/bus/pci"
    static let groups = "/sys/kernel/iommu_groups"

    init(tree: VirtualTree, modules: Set<String>) {
        self.tree = tree
        self.modules = modules
        for name in tree.entries(Self.bus + "/devices") {
            guard let address = PCIAddress(name), let path = resolved(Self.bus + "/devices/" + name) else { continue }
            devices[address] = path
            if let driver = tree.linkName("driver", from: path), !Self.takesOnlyByOverride(driver) {
                claims[identity(at: path)] = driver
                nativeDrivers[address] = driver
            }
        }
        completeTree()
    }

    /// Adds what every kernel has and a capture need not hold: the bus's own files, and each device's override.
    private mutating func completeTree() {
        for name in ["drivers_probe", "drivers_autoprobe", "rescan"] where !tree.exists(Self.bus + "/" + name) {
            tree.put(name == "drivers_autoprobe" ? "1" : "", at: Self.bus + "/" + name)
        }
        for (_, path) in devices {
            if !tree.exists("driver_override", from: path) { tree.put("(null)", at: path + "/driver_override") }
            if tree.exists("sriov_totalvfs", from: path), !tree.exists("sriov_numvfs", from: path) {
                let count = tree.entries("", from: path).count { $0.hasPrefix("virtfn") }
                tree.put("\(count)", at: path + "/sriov_numvfs")
            }
            if tree.linkName("subsystem", from: path) == nil { tree.link(path + "/subsystem", to: Self.bus) }
        }
        for driver in tree.entries(Self.bus + "/drivers") { completeDriver(driver) }
        for driver in Set(nativeDrivers.values) { completeDriver(driver) }
    }

    private mutating func completeDriver(_ driver: String) {
        let path = Self.bus + "/drivers/" + driver
        for name in ["bind", "unbind", "new_id", "remove_id"] where !tree.exists(path + "/" + name) {
            tree.put("", at: path + "/" + name)
        }
    }

    // MARK: writes

    /// What write(2) of `value` to the file at a canonical path answers, and does.
    mutating func write(_ value: String, to path: String) throws(Errno) {
        let directory = VirtualTree.parent(of: path)
        let name = VirtualTree.name(of: path)
        if let address = devices.first(where: { $0.value == directory })?.key {
            switch name {
            case "driver_override": return setOverride(of: address, at: directory, to: value)
            case "sriov_numvfs": return try setVFCount(of: address, at: directory, to: value)
            case "sriov_drivers_autoprobe": return try setAutoprobe(at: directory, to: value)
            default: throw .permissionDenied
            }
        }
        switch (directory, name) {
        case (Self.bus, "drivers_probe"):
            let address = try device(named: value)
            if boundDriver(of: address) == nil { try probe(address) }
        case (_, "bind") where VirtualTree.parent(of: directory) == Self.bus + "/drivers":
            try bind(try device(named: value), to: VirtualTree.name(of: directory))
        case (_, "unbind") where VirtualTree.parent(of: directory) == Self.bus + "/drivers":
            let address = try device(named: value)
            guard boundDriver(of: address) == VirtualTree.name(of: directory) else {
                throw .operationNotSupportedByDevice
            }
            unbind(address)
        case (_, "smp_affinity_list") where VirtualTree.parent(of: directory) == "/proc/irq":
            try setAffinity(at: directory, to: value)
        default:
            throw .permissionDenied
        }
    }

    /// modprobe: a PCI driver appears on the bus.
    mutating func load(_ module: String) throws(Errno) {
        let underscored = String(module.map { $0 == "-" ? "_" : $0 })
        let dashed = String(module.map { $0 == "_" ? "-" : $0 })
        if tree.exists("/sys/module/" + underscored) { return }
        guard modules.contains(module) || modules.contains(dashed) || modules.contains(underscored) else {
            throw .noSuchFileOrDirectory
        }
        tree.put("live", at: "/sys/module/\(underscored)/initstate")
        if dashed == "vfio-pci" || dashed == "pci-stub" {
            tree.put(.directory([]), at: Self.bus + "/drivers/" + dashed)
            completeDriver(dashed)
        }
    }

    // MARK: drivers and devices

    /// Drivers with no ids of their own: a device comes to them by driver_override alone.
    static func takesOnlyByOverride(_ driver: String) -> Bool {
        ["vfio-pci", "pci-stub", "uio_pci_generic"].contains(driver)
    }

    func boundDriver(of address: PCIAddress) -> String? {
        devices[address].flatMap { tree.linkName("driver", from: $0) }
    }

    private func device(named value: String) throws(Errno) -> PCIAddress {
        guard let address = PCIAddress(trimmed(Array(value.utf8))), devices[address] != nil else {
            throw .operationNotSupportedByDevice
        }
        return address
    }

    private mutating func setOverride(of address: PCIAddress, at path: String, to value: String) {
        let driver = trimmed(Array(value.utf8))
        tree.put(driver.isEmpty ? "(null)" : driver, at: path + "/driver_override")
    }

    /// The driver that would take a device that none has: its override's, and that one alone; else one that claims it.
    private func suitor(of address: PCIAddress) -> String? {
        guard let path = devices[address] else { return nil }
        let override = tree.text("driver_override", from: path) ?? "(null)"
        let driver = override == "(null)" ? nativeDrivers[address] ?? claims[identity(at: path)] : override
        guard let driver, tree.exists(Self.bus + "/drivers/" + driver) else { return nil }
        return driver
    }

    /// Gives a device to the driver that takes it. None is no error: drivers_probe then succeeds and does nothing.
    mutating func probe(_ address: PCIAddress) throws(Errno) {
        guard let driver = suitor(of: address) else { return }
        do { try attach(address, to: driver) } catch { throw .invalidArgument }
    }

    private mutating func bind(_ address: PCIAddress, to driver: String) throws(Errno) {
        guard boundDriver(of: address) == nil else { throw .resourceBusy }
        guard suitor(of: address) == driver else { throw .operationNotSupportedByDevice }
        try attach(address, to: driver)
    }

    private mutating func attach(_ address: PCIAddress, to driver: String) throws(Errno) {
        guard let path = devices[address] else { throw .operationNotSupportedByDevice }
        if driver == "vfio-pci" {
            // vfio-pci refuses bridges, devices without an IOMMU group, and physical functions with VFs.
            let isBridge = tree.text("class", from: path)?.hasPrefix("0x0604") ?? false
            guard !isBridge, let group = tree.linkName("iommu_group", from: path) else { throw .invalidArgument }
            guard (tree.text("sriov_numvfs", from: path) ?? "0") == "0" else { throw .resourceBusy }
            addVFIONodes(path, group: group)
        }
        tree.link(path + "/driver", to: Self.bus + "/drivers/" + driver)
        tree.link("\(Self.bus)/drivers/\(driver)/\(address)", to: path)
        setDriver(driver, inUeventAt: path)
    }

    mutating func unbind(_ address: PCIAddress) {
        guard let path = devices[address], let driver = boundDriver(of: address) else { return }
        if driver == "vfio-pci" { removeVFIONodes(path) }
        tree.remove(path + "/driver")
        tree.remove("\(Self.bus)/drivers/\(driver)/\(address)")
        setDriver(nil, inUeventAt: path)
    }

    /// The first line of a bound device's uevent names its driver.
    private mutating func setDriver(_ driver: String?, inUeventAt path: String) {
        guard let text = tree.text("uevent", from: path) else { return }
        let rest = text.split(separator: "\n").filter { !$0.hasPrefix("DRIVER=") }.map(String.init)
        tree.put(((driver.map { ["DRIVER=\($0)"] } ?? []) + rest).joined(separator: "\n"), at: path + "/uevent")
    }

    private mutating func addVFIONodes(_ path: String, group: String) {
        var index = 0
        while tree.exists("/dev/vfio/devices/vfio\(index)") { index += 1 }
        tree.put("", at: "/dev/vfio/devices/vfio\(index)")
        tree.put("511:\(index)", at: "\(path)/vfio-dev/vfio\(index)/dev")
        tree.put("", at: "/dev/vfio/\(group)")
    }

    private mutating func removeVFIONodes(_ path: String) {
        for name in tree.entries("vfio-dev", from: path) { tree.remove("/dev/vfio/devices/" + name) }
        tree.remove(path + "/vfio-dev")
        guard let group = tree.linkName("iommu_group", from: path) else { return }
        let others = tree.entries("\(Self.groups)/\(group)/devices").compactMap { PCIAddress($0) }
            .filter { devices[$0] != path && boundDriver(of: $0) == "vfio-pci" }
        if others.isEmpty { tree.remove("/dev/vfio/\(group)") }
    }

    func resolved(_ path: String) -> String? {
        do { return try tree.canonical(path) } catch { return nil }
    }

    func identity(at path: String) -> String {
        ["vendor", "device"].map { tree.text($0, from: path) ?? "" }.joined(separator: ":")
    }
}

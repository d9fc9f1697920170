internal import HostAccess
internal import PCI
internal import SystemPackage

/// Reads PCI functions, one after the other, from their directories in sysfs.
///
/// What is missing is nil. What is there but makes no sense, or cannot be read, is nil too and becomes one of the
/// device's `problems`: a nonsense attribute costs its own value, never the rest.
struct DeviceReader {
    /// The device that is being read.
    private var directory: any HostDirectory
    private var problems: [String] = []

    /// The attribute that was read last: one array's storage serves every attribute of every device.
    private var content: [UInt8] = []

    /// The `virtfnN` links of the device that was read last, by index.
    private(set) var virtualFunctions: [(index: Int, address: PCIAddress)] = []

    /// Whether the device that was read last is a network card in a driver's hands and has the directory `net`, which the
    /// kernel makes with its first interface, whatever network namespace that is in.
    private(set) var hasInterfaceDirectory = false

    /// What is read beyond the usual.
    private let parts: HostSnapshot.Parts

    /// The drivers of the bus.
    private let drivers: Set<String>

    /// The last driver that was seen to exist.
    private var lastDriver: String?

    /// - Parameter bus: where the devices are.
    init(_ bus: any HostDirectory, drivers: Set<String>, parts: HostSnapshot.Parts) {
        directory = bus
        self.drivers = drivers
        self.parts = parts
    }

    /// Reads a device, of which the address is known. One open file (`uevent`) gives the driver's name and all ids; no
    /// other file repeats them.
    ///
    /// - Parameters:
    ///   - device: gets what is read. In its place, since a device is large and there are thousands.
    ///   - directory: the device's own.
    ///   - isVirtual: whether this is a virtual function, as its physical function's `virtfnN` link said.
    mutating func read(_ device: inout Device, from directory: any HostDirectory, isVirtual: Bool) {
        self.directory = directory
        problems.removeAll()
        virtualFunctions.removeAll()

        let event = attribute("uevent") ? DeviceEvent(content.span) : DeviceEvent()
        var identity = DeviceIdentity(
            vendorID: event.ids?.vendor ?? 0, deviceID: event.ids?.device ?? 0,
            subsystemVendorID: event.subsystemIDs?.vendor ?? 0, subsystemDeviceID: event.subsystemIDs?.device ?? 0)
        var header: ConfigurationHeader?
        if event.ids == nil { header = readIDs(into: &identity) }
        if event.subsystemIDs == nil { readSubsystemIDs(into: &identity) }
        let classID = event.classID ?? hexadecimalFile("class", digits: 6) ?? header?.classID
        if classID == nil, !problems.contains(where: { $0.hasPrefix("class ") }) { problems.append("class is missing") }

        device.identity = identity
        device.classID = classID ?? 0
        if parts.contains(.details) {
            device.revision =
                hexadecimalFile("revision", digits: 2).map { UInt8(truncatingIfNeeded: $0) } ?? header?.revision
            device.driverOverride = override()
        }
        device.driver = driver(event)
        device.iommuGroup = group()
        device.numaNode = numaNode()
        // A virtual function has no virtual functions: asking for a file that is not there costs most of all.
        if !isVirtual { device.sriov = sriov() }
        device.vfio = vfioNodes(driver: device.driver, group: device.iommuGroup)
        let isCard = device.classID >> 16 == 0x02 && device.driver != nil && device.vfio.group == nil
        hasInterfaceDirectory = parts.contains(.uses) && isCard && directory.exists("net")
        device.problems = problems
    }

    // MARK: attributes

    /// Reads a file into `content`; false when it is not there.
    private mutating func attribute(_ name: String) -> Bool {
        do throws(HostAccessError) {
            return try directory.read(name, limit: 1 << 16, into: &content)
        } catch {
            let reason = error.code == .unreadable ? "it is no ordinary file, or too large" : "\(error.errno)"
            problems.append("\(name) cannot be read: \(reason)")
            return false
        }
    }

    private mutating func hexadecimalFile(_ name: String, digits: Int) -> UInt32? {
        guard attribute(name) else { return nil }
        let value = hexadecimalAttribute(content, digits: digits)
        if value == nil { problems.append("\(name) is \(quoted(content)), no number of \(digits) hexadecimal digits") }
        return value
    }

    private mutating func decimalFile(_ name: String) -> Int? {
        guard attribute(name) else { return nil }
        let value = decimalAttribute(content.span)
        if value == nil { problems.append("\(name) is \(quoted(content)), no number") }
        return value
    }

    // MARK: identity

    /// Reads `vendor` and `device`, for a tree whose `uevent` lacks them. A capture without even those may still have the
    /// configuration header; on a live host, reading that could wake the device, and never comes to it.
    private mutating func readIDs(into identity: inout DeviceIdentity) -> ConfigurationHeader? {
        let vendor = hexadecimalFile("vendor", digits: 4)
        let device = hexadecimalFile("device", digits: 4)
        identity.vendorID = UInt16(truncatingIfNeeded: vendor ?? 0)
        identity.deviceID = UInt16(truncatingIfNeeded: device ?? 0)
        guard vendor == nil, device == nil, !problems.contains(where: { $0.hasPrefix("vendor ") }) else {
            if vendor == nil { complainOfMissing("vendor") }
            if device == nil { complainOfMissing("device") }
            return nil
        }
        guard attribute("config"), let header = ConfigurationHeader(content) else {
            complainOfMissing("vendor")
            complainOfMissing("device")
            return nil
        }
        identity.vendorID = header.vendorID
        identity.deviceID = header.deviceID
        return header
    }

    private mutating func readSubsystemIDs(into identity: inout DeviceIdentity) {
        identity.subsystemVendorID = UInt16(truncatingIfNeeded: hexadecimalFile("subsystem_vendor", digits: 4) ?? 0)
        identity.subsystemDeviceID = UInt16(truncatingIfNeeded: hexadecimalFile("subsystem_device", digits: 4) ?? 0)
    }

    private mutating func complainOfMissing(_ name: String) {
        if !problems.contains(where: { $0.hasPrefix(name + " ") }) { problems.append("\(name) is missing") }
    }

    // MARK: what the kernel made of it

    private mutating func driver(_ event: DeviceEvent) -> String? {
        if let driver = directory.linkName("driver"), !driver.isEmpty {
            // The drivers were listed first: one that has come since is there all the same.
            // Neighbours mostly have the same one.
            if driver == lastDriver { return driver }
            if drivers.contains(driver) || directory.exists("driver") {
                lastDriver = driver
                return driver
            }
            problems.append("driver leads to \(quoted(driver.utf8)), and there is no such driver")
            return nil
        }
        // The kernel removes the link first and the name in uevent last: in between the driver's own removal runs, which
        // for a VFIO driver waits for whoever holds the device.
        if let driver = event.driver {
            problems.append("its removal from the driver \(driver) is still pending: uevent names it, no link does")
        }
        return nil
    }

    private mutating func override() -> String? {
        guard attribute("driver_override") else { return nil }
        let text = trimmed(content)
        return text.isEmpty || text == "(null)" ? nil : text
    }

    private mutating func group() -> Int? {
        guard let name = directory.linkName("iommu_group") else { return nil }
        let id = decimalAttribute(name.utf8.span).flatMap { $0 >= 0 ? $0 : nil }
        if id == nil { problems.append("iommu_group leads to \(quoted(name.utf8)), no number of a group") }
        return id
    }

    private mutating func numaNode() -> Int? {
        guard let node = decimalFile("numa_node") else { return nil }
        if node < -1 || node > NumberList.limit { problems.append("numa_node is '\(node)', no node's number") }
        return (0...NumberList.limit).contains(node) ? node : nil
    }

    private mutating func sriov() -> SRIOV? {
        guard let total = decimalFile("sriov_totalvfs") else { return nil }
        readVirtualFunctions()
        return SRIOV(
            totalVFs: max(total, 0), virtualFunctions: virtualFunctions.map(\.address),
            offset: decimalFile("sriov_offset"), stride: decimalFile("sriov_stride"),
            driversAutoprobe: decimalFile("sriov_drivers_autoprobe").map { $0 != 0 })
    }

    private mutating func readVirtualFunctions() {
        let prefix = "virtfn"
        for name in names("") where begins(name.utf8.span, with: prefix) {
            guard let index = decimalAttribute(name.utf8.span.extracting(prefix.utf8.count...)), index >= 0,
                let target = directory.linkName(name), let address = PCIAddress(target)
            else {
                problems.append("\(quoted(name.utf8)) leads to no PCI address")
                continue
            }
            virtualFunctions.append((index, address))
        }
        virtualFunctions.sort { $0.index < $1.index }
        if let gap = virtualFunctions.enumerated().first(where: { $0.offset != $0.element.index }) {
            problems.append("virtfn\(gap.offset) is missing")
        }
    }

    private mutating func vfioNodes(driver: String?, group: Int?) -> VFIONodes {
        guard let driver, DriverPolicy.isVFIO(driver) else { return VFIONodes() }
        let cdev = names("vfio-dev").first { $0.hasPrefix("vfio") }
        return VFIONodes(group: group.map { "/dev/vfio/\($0)" }, cdev: cdev.map { "/dev/vfio/devices/" + $0 })
    }

    private func names(_ path: String) -> [String] {
        do { return try directory.entries(path) } catch { return [] }
    }
}

/// The first bytes of a function's configuration space: the last resort for a capture that has nothing else.
private struct ConfigurationHeader {
    var vendorID: UInt16
    var deviceID: UInt16
    var classID: UInt32
    var revision: UInt8

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 16 else { return nil }
        vendorID = UInt16(bytes[0]) | UInt16(bytes[1]) << 8
        deviceID = UInt16(bytes[2]) | UInt16(bytes[3]) << 8
        revision = bytes[8]
        classID = UInt32(bytes[9]) | UInt32(bytes[10]) << 8 | UInt32(bytes[11]) << 16
        // All ones is what a device answers that is gone or asleep.
        guard vendorID != 0xffff else { return nil }
    }
}

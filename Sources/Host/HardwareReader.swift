public import HostAccess
public import PCI
internal import SystemPackage

extension HostSnapshot {
    /// Reads the hardware of some devices into `Device.hardware`: configuration space, regions, resets, power, link,
    /// firmware node, serial number, modules.
    ///
    /// This is the one place that reads `config` and `vpd`, each with one read. The kernel wakes a device that sleeps in
    /// D3cold for that and lets it sleep again; nothing else is touched. What cannot be read is a note of the device.
    ///
    /// - Parameters:
    ///   - addresses: the devices; those that are not in the snapshot are left out.
    ///   - host: the host that the snapshot was read from.
    public mutating func readHardware(of addresses: [PCIAddress], from host: any HostAccess) {
        var modules = ModuleAnswers(host)
        for address in addresses {
            guard let index = index(of: address), devices[index].hardware == nil else { continue }
            let hardware = HardwareReader(devices[index], on: host).read(&modules)
            devices[index].hardware = hardware
            // As `readSerialNumbers` has it: not of bridges and virtual functions.
            if !devices[index].isPCIBridge, devices[index].physicalFunction == nil {
                devices[index].serialNumber = hardware.configuration?.deviceSerialNumber?.number
            }
        }
    }
}

/// Which modules claim which `modalias`: virtual functions by the hundred have the same.
private struct ModuleAnswers {
    private let host: any HostAccess
    private var answers: [String: Result<[String], HostAccessError>] = [:]

    init(_ host: any HostAccess) { self.host = host }

    mutating func claiming(_ alias: String) throws(HostAccessError) -> [String] {
        if let known = answers[alias] { return try known.get() }
        let answer: Result<[String], HostAccessError>
        do throws(HostAccessError) {
            answer = .success(Set(try host.modules(claiming: alias)).sorted())
        } catch {
            answer = .failure(error)
        }
        answers[alias] = answer
        return try answer.get()
    }
}

/// Reads one function's hardware from its directory in sysfs.
private struct HardwareReader {
    private let host: any HostAccess
    private let device: Device
    private var hardware = DeviceHardware()

    /// As much of `vpd` as is read: a name and the read-only fields are a few hundred bytes, and the device hands out
    /// four at a time.
    private static let productDataLimit = 1024

    init(_ device: Device, on host: any HostAccess) {
        self.device = device
        self.host = host
    }

    consuming func read(_ modules: inout ModuleAnswers) -> DeviceHardware {
        let directory: any HostDirectory
        do {
            directory = try host.directory(device.path)
        } catch {
            hardware.notes.append("\(error)")
            return hardware
        }
        // First, since reading configuration space may wake the device.
        readPower(directory)
        readConfiguration(directory)
        readRegions(directory)
        hardware.canReset = directory.exists("reset")
        hardware.resetMethods = text("reset_method", in: directory).map {
            $0.split(separator: " ").map(String.init)
        }
        hardware.link = link(in: directory)
        hardware.firmwareNode = firmwareNode(in: directory)
        readSerial(directory)
        hardware.isBootVGA = text("boot_vga", in: directory).map { $0 == "1" }
        readModules(directory, &modules)
        return hardware
    }

    // MARK: parts

    private mutating func readPower(_ directory: any HostDirectory) {
        hardware.power = DevicePower(
            state: text("power_state", in: directory), runtimeStatus: text("power/runtime_status", in: directory),
            runtimeControl: text("power/control", in: directory),
            d3coldAllowed: text("d3cold_allowed", in: directory).map { $0 == "1" })
    }

    private mutating func readConfiguration(_ directory: any HostDirectory) {
        let bytes: [UInt8]
        do throws(HostAccessError) {
            bytes = try directory.read("config", limit: ConfigurationSpace.largestSize)
        } catch {
            hardware.notes.append(
                Self.isForbidden(error) ? "config: not permitted to look" : "config cannot be read: \(error.errno)")
            return
        }
        let space = ConfigurationSpace(bytes: bytes)
        hardware.configuration = space
        if bytes.count == ConfigurationHeader.size, !hardware.knowsCapabilities, !space.isSilent {
            hardware.notes.append(
                "capabilities: not permitted to look (config gives its first 64 bytes only; root reads all of it)")
        } else {
            hardware.notes += space.notes
        }
        if let state = hardware.power.state, state == "D3cold" {
            hardware.notes.append("it was asleep (D3cold), and reading its configuration space woke it for a moment")
        }
    }

    private mutating func readRegions(_ directory: any HostDirectory) {
        do throws(HostAccessError) {
            let resources = ResourceLines(try directory.read("resource"))
            hardware.bars = resources.bars
            hardware.rom = resources.rom
            // The register and not `sriov_totalvfs`, which a driver may have lowered: the kernel sized for the former.
            let total = hardware.configuration?.singleRootIOVirtualization?.totalVFs ?? device.sriov?.totalVFs ?? 0
            hardware.vfBARs = resources.virtualFunctionBARs(total: total)
        } catch {
            if error.errno != .noSuchFileOrDirectory {
                hardware.notes.append("resource cannot be read: \(error.errno)")
            }
        }
    }

    private func link(in directory: any HostDirectory) -> DeviceLink? {
        guard let best = text("max_link_width", in: directory).flatMap({ Int($0) }) else { return nil }
        func speed(_ name: String) -> LinkSpeed? { text(name, in: directory).flatMap(LinkSpeed.init(attribute:)) }
        // 0 lanes at best, or 255 (PCIE_LNK_WIDTH_UNKNOWN), is a function without a link: a virtual one, for one.
        guard (1...64).contains(best) else { return nil }
        let width = text("current_link_width", in: directory).flatMap { Int($0) }
        return DeviceLink(
            speed: speed("current_link_speed"), width: width.flatMap { (0...64).contains($0) ? $0 : nil },
            bestSpeed: speed("max_link_speed"), bestWidth: best)
    }

    private func firmwareNode(in directory: any HostDirectory) -> FirmwareNode? {
        if let path = text("firmware_node/path", in: directory) { return FirmwareNode(kind: .acpi, path: path) }
        let base = "/firmware/devicetree/base"
        do throws(HostAccessError) {
            let target = try directory.readLink("of_node")
            guard let start = target.firstRange(of: base) else { return nil }
            return FirmwareNode(kind: .deviceTree, path: String(target[start.upperBound...]))
        } catch {
            return nil
        }
    }

    private mutating func readSerial(_ directory: any HostDirectory) {
        do throws(HostAccessError) {
            let bytes = try directory.readStart("vpd", count: Self.productDataLimit)
            hardware.serial = VitalProductData(bytes: bytes).serialNumber
        } catch {
            switch error.errno {
            case .noSuchFileOrDirectory: break
            case .permissionDenied, .notPermitted: hardware.notes.append("serial number: not permitted to look (vpd)")
            default: hardware.notes.append("serial number: vpd cannot be read: \(error.errno)")
            }
        }
    }

    private mutating func readModules(_ directory: any HostDirectory, _ modules: inout ModuleAnswers) {
        guard let modalias = text("modalias", in: directory) else { return }
        hardware.modalias = modalias
        do throws(HostAccessError) {
            hardware.modules = try modules.claiming(modalias)
        } catch {
            hardware.notes.append("modules: \(error)")
        }
    }

    // MARK: files

    /// The text of an attribute; nil when it is not there, empty, or cannot be read.
    private func text(_ name: String, in directory: any HostDirectory) -> String? {
        directory.optionalText(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func isForbidden(_ error: HostAccessError) -> Bool {
        error.errno == .permissionDenied || error.errno == .notPermitted
    }
}

extension LinkSpeed {
    /// Reads `8.0 GT/s PCIe`, or `8 GT/s` as older kernels wrote it; `Unknown` is nil.
    fileprivate init?(attribute: String) {
        guard let number = attribute.split(separator: " ").first else { return nil }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = Int(parts[0]), (0...1000).contains(whole) else { return nil }
        let tenths = whole * 10 + (parts.count == 2 ? Int(parts[1].prefix(1)) ?? 0 : 0)
        guard let code = (1...6).first(where: { LinkSpeed(rawValue: $0).tenthsOfGigatransfers == tenths }) else {
            return nil
        }
        self.init(rawValue: code)
    }
}

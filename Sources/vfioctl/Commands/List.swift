internal import ArgumentParser
internal import Host
internal import LiveHost
internal import PCI

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List PCI devices: group, NUMA node, driver, names, SR-IOV, who uses them.")

    @Option(
        name: .customLong("class"),
        help: ArgumentHelp("Only this class: the first digits of its id (02, 0302).", valueName: "class"))
    var classPrefix: String?

    @Option(help: "Only devices bound to this driver.")
    var driver: String?

    @Option(help: ArgumentHelp("Only members of this IOMMU group.", valueName: "n"))
    var group: Int?

    @Flag(help: "Only virtual functions.")
    var vfs = false

    @Flag(help: "Show the stable identity of each device, which every command takes as DEVICE.")
    var stable = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard let classPrefix else { return }
        guard (1...6).contains(classPrefix.utf8.count), classPrefix.utf8.allSatisfy({ hexadecimalDigit($0) != nil })
        else { throw ValidationError("--class takes one to six hexadecimal digits, not '\(classPrefix)'.") }
    }

    func run() throws {
        // The table shows neither revision nor override, which cost a file of each device.
        var parts: HostSnapshot.Parts = global.json ? [.uses, .details] : stable ? [] : .uses
        if stable { parts.insert(.topology) }
        var (host, snapshot) = try global.observe(parts)
        if stable { snapshot.readSerialNumbers(of: chosen(snapshot.devices).map(\.address), from: host) }
        let devices = chosen(snapshot.devices)
        let names = SystemDeviceNames()
        if global.json {
            try Output.print(json: DeviceListReport(devices, of: snapshot, names: names, stable: stable))
        } else {
            let (width, colours) = (global.lineWidth, global.colours)
            Output.print(
                stable
                    ? StableTable(devices, of: snapshot, names: names).rendered(width: width, colours: colours)
                    : DeviceTable(devices, names: names).rendered(width: width, colours: colours))
            for device in devices {
                for problem in device.problems { Output.note("vfioctl: \(device.address): \(problem)") }
            }
        }
    }

    /// The devices that were asked for.
    private func chosen(_ devices: [Device]) -> [Device] {
        let (classPrefix, driver, group, vfs) = (classPrefix?.lowercased(), driver, group, vfs)
        guard classPrefix != nil || driver != nil || group != nil || vfs else { return devices }
        return devices.filter { device in
            if let classPrefix, !hexadecimal(device.classID, width: 6).hasPrefix(classPrefix) { return false }
            if let driver, device.driver != driver { return false }
            if let group, device.iommuGroup != group { return false }
            return !vfs || device.physicalFunction != nil
        }
    }
}

internal import ArgumentParser
internal import Host
internal import PCI
internal import LiveHost

struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything known about a device, without opening it.")

    @Argument(help: ArgumentHelp("The device.", valueName: "device"))
    var device: String

    @OptionGroup var global: GlobalOptions

    func run() throws {
        var (host, snapshot) = try global.observe()
        let addresses = try DeviceArguments([device]).resolve(in: snapshot, on: host).map(\.address)
        snapshot.readSerialNumbers(of: addresses, from: host)
        snapshot.readSignatures(of: addresses, from: host)
        snapshot.readHardware(of: addresses, from: host)
        // A virtual function is known by its physical one, whose serial number is part of the stable identity.
        let physicalFunctions = Set(addresses.compactMap { snapshot.device(at: $0)?.physicalFunction })
        snapshot.readSerialNumbers(of: physicalFunctions.subtracting(addresses).sorted(), from: host)
        let devices = addresses.compactMap { snapshot.device(at: $0) }
        let names = SystemDeviceNames()
        if global.json {
            try Output.print(json: ShowReport(devices, of: snapshot, names: names))
        } else {
            let sheets = devices.map { DeviceSheet($0, in: snapshot, names: names).text }
            Output.print(sheets.joined(separator: "\n"), width: global.lineWidth)
        }
    }
}

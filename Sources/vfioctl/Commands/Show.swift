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
        snapshot.readSignatures(of: addresses, from: host)
        snapshot.readHardware(of: addresses, from: host)
        // After the hardware, whose configuration space has them; a virtual function's is its physical one's.
        snapshot.readSerialNumbers(of: addresses, from: host)
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

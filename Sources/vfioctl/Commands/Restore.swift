internal import ArgumentParser
internal import Changes
internal import Host
internal import HostAccess
internal import PCI
internal import Passthrough

struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Give devices back: the driver, override and interrupt affinities they had.")

    @Argument(help: ArgumentHelp("Devices to give back.", valueName: "device"))
    var devices: [String] = []

    @Flag(help: "Give back every device that vfioctl changed.")
    var all = false

    @OptionGroup var options: ChangeOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try DeviceArguments.validate(devices)
        guard devices.isEmpty == all else { throw ValidationError("Name the devices to give back, or say --all.") }
    }

    func run() throws {
        try ChangeCommand(name: "restore", global: global, options: options).run { snapshot, host, journal in
            let origins = try journal.origins()
            let addresses =
                all
                ? origins.compactMap { PCIAddress($0.key) }
                : try DeviceArguments(devices).resolve(in: snapshot, on: host).map(\.address)
            var interrupts: [PCIAddress: [Interrupt]] = [:]
            for address in addresses {
                guard let device = snapshot.device(at: address) else { continue }
                interrupts[address] = InterruptSnapshot.read(from: host, of: device).interrupts
            }
            return RestoreRequest(devices: addresses, origins: origins, interrupts: interrupts).plan(on: snapshot)
        }
    }
}

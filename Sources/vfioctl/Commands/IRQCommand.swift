internal import ArgumentParser
internal import Host
internal import HostAccess
internal import Passthrough

struct IRQCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "irq", abstract: "See and set the CPUs of a device's interrupts.",
        subcommands: [ListIRQs.self, SetIRQs.self])

    struct ListIRQs: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List a device's interrupt vectors and their CPUs.")

        @Argument(help: ArgumentHelp("The device.", valueName: "device"))
        var device: String

        @OptionGroup var global: GlobalOptions

        func run() throws {
            let (host, snapshot) = try global.observe([])
            let device = try DeviceArguments([device]).resolveOne(in: snapshot, on: host)
            let report = InterruptReport(InterruptSnapshot.read(from: host, of: device).interrupts)
            if global.json {
                try Output.print(json: report)
            } else {
                Output.print(report.text(width: global.lineWidth, colours: global.colours))
            }
        }
    }

    struct SetIRQs: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Put a device's interrupt vectors on CPUs, and verify where they go.")

        @Argument(help: ArgumentHelp("The device.", valueName: "device"))
        var device: String

        @Option(help: ArgumentHelp("The CPUs, as the kernel lists them: 0-3,8.", valueName: "list"))
        var cpus: String

        @Option(help: ArgumentHelp("Only this vector, by its index from 0.", valueName: "n"))
        var vector: Int?

        @OptionGroup var options: ChangeOptions
        @OptionGroup var global: GlobalOptions

        func validate() throws {
            try DeviceArguments.validate([device])
            guard let list = NumberList(cpus), !list.isEmpty else {
                throw ValidationError("'\(cpus)' is no list of CPUs such as 1 or 0-3,8.")
            }
            guard vector ?? 0 >= 0 else { throw ValidationError("--vector takes a number from 0.") }
        }

        func run() throws {
            guard let list = NumberList(cpus) else { return }
            try ChangeCommand(name: "irq_set", global: global, options: options).run { snapshot, host, _ in
                let device = try DeviceArguments([device]).resolveOne(in: snapshot, on: host)
                let interrupts = InterruptSnapshot.read(from: host, of: device)
                return SetAffinity(device: device.address, cpus: list, vector: vector)
                    .plan(on: snapshot, interrupts: interrupts)
            }
        }
    }
}

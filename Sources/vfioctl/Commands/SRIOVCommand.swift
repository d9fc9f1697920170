internal import ArgumentParser
internal import Changes
internal import Host
internal import PCI
internal import Passthrough

struct SRIOVCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sriov", abstract: "Create, list and destroy virtual functions.",
        subcommands: [Create.self, ListVFs.self, Destroy.self])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Create virtual functions of a physical function.",
            discussion: """
                A count that is not zero already is changed through zero, unless one of the virtual functions is in use. \
                With --driver the host's drivers are kept off the new functions; each is awaited by its address and bound.
                """)

        @Argument(help: ArgumentHelp("The physical function.", valueName: "pf"))
        var physicalFunction: String

        @Argument(help: "How many virtual functions there are to be.")
        var count: Int

        @Option(help: "Bind each virtual function to this driver.")
        var driver: String?

        @OptionGroup var options: ChangeOptions
        @OptionGroup var global: GlobalOptions

        func validate() throws {
            try DeviceArguments.validate([physicalFunction])
            guard count >= 0 else { throw ValidationError("COUNT is a number from 0.") }
            guard driver.map(Bind.isDriverName) ?? true else {
                throw ValidationError("'\(driver ?? "")' is no name of a driver.")
            }
        }

        func run() throws {
            try ChangeCommand(name: "sriov_create", global: global, options: options).run { snapshot, host, journal in
                let device = try DeviceArguments([physicalFunction]).resolveOne(in: snapshot, on: host)
                return CreateVirtualFunctions(
                    physicalFunction: device.address, count: count, driver: driver.map(Bind.driverName)
                )
                .plan(
                    on: snapshot, interrupts: InterruptSnapshot.read(from: host, of: device),
                    remembered: try journal.origin(of: device.address.description))
            }
        }
    }

    struct Destroy: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "destroy", abstract: "Remove every virtual function of a physical function.")

        @Argument(help: ArgumentHelp("The physical function.", valueName: "pf"))
        var physicalFunction: String

        @OptionGroup var options: ChangeOptions
        @OptionGroup var global: GlobalOptions

        func run() throws {
            try ChangeCommand(name: "sriov_destroy", global: global, options: options).run { snapshot, host, journal in
                let device = try DeviceArguments([physicalFunction]).resolveOne(in: snapshot, on: host)
                return DestroyVirtualFunctions(physicalFunction: device.address)
                    .plan(
                        on: snapshot, interrupts: InterruptSnapshot.read(from: host, of: device),
                        remembered: try journal.origin(of: device.address.description))
            }
        }
    }

    struct ListVFs: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the virtual functions of a physical function.")

        @Argument(help: ArgumentHelp("The physical function.", valueName: "pf"))
        var physicalFunction: String

        @OptionGroup var global: GlobalOptions

        func run() throws {
            let (host, snapshot) = try global.observe([])
            let device = try DeviceArguments([physicalFunction]).resolveOne(in: snapshot, on: host)
            guard let sriov = device.sriov else {
                throw CommandFailure(.noSuchThing, "\(device.address) has no SR-IOV, so no virtual functions to list")
            }
            let report = VFListReport(device, sriov, in: snapshot)
            if global.json {
                try Output.print(json: report)
            } else {
                Output.print(report.text(width: global.lineWidth, colours: global.colours))
            }
        }
    }
}

internal import ArgumentParser
internal import Host
internal import Readiness
internal import VFIO

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Tell whether this host, and devices of it, are ready for passthrough.",
        discussion: """
            Each finding comes with its evidence and, where something is to be done, its cure. Nothing is changed, opened \
            or loaded. The exit status is 1 when a finding stands in the way. vfioctl(8) explains each finding by its name.
            """)

    @Argument(help: ArgumentHelp("Devices to check as well, as if they were given to one guest.", valueName: "device"))
    var devices: [String] = []

    @Option(
        help: ArgumentHelp(
            "The guest's RAM: may it be pinned, is it there, and in huge pages? 64G, 512M.", valueName: "size"))
    var memory: String?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try DeviceArguments.validate(devices)
        guard let memory else { return }
        guard let size = MemorySize(memory), size.bytes >= 1 << 20 else {
            throw ValidationError("--memory takes a size with its unit, such as 4G or 512M, not '\(memory)'.")
        }
    }

    func run() throws {
        let (host, snapshot) = try global.observe()
        let devices = try DeviceArguments(devices).resolve(in: snapshot, on: host)
        let readiness = Readiness.check(
            host, snapshot, devices: devices, guestMemory: memory.flatMap { MemorySize($0) })
        let report = CheckReport(readiness)
        if global.json {
            try Output.print(json: report)
        } else {
            Output.print(report.text(colours: global.colours), width: global.lineWidth)
        }
        if !readiness.isReady { throw ExitCode(ExitStatus.no.rawValue) }
    }
}

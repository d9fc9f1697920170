internal import ArgumentParser
internal import Host
internal import Readiness

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Tell whether this host, and devices of it, are ready for passthrough.",
        discussion: """
            Each finding comes with its evidence and, where something is to be done, its cure. Nothing is changed, opened \
            or loaded. The exit status is 1 when a finding stands in the way.
            """)

    @Argument(help: ArgumentHelp("Devices to check as well, as if they were given to one guest.", valueName: "device"))
    var devices: [String] = []

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let (host, snapshot) = try global.observe()
        let devices = try DeviceArguments(devices).resolve(in: snapshot)
        let readiness = Readiness.check(host, snapshot, devices: devices)
        let report = CheckReport(readiness)
        if global.json {
            try Output.print(json: report)
        } else {
            Output.print(report.text(colours: global.colours), width: global.lineWidth)
        }
        if !readiness.isReady { throw ExitCode(ExitStatus.no.rawValue) }
    }
}

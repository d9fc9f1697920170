internal import ArgumentParser
internal import VFIO

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Open a device through VFIO and show its regions and interrupts.",
        discussion: "Opening a device resets it, where it can be reset.")

    @OptionGroup var target: OpenDeviceOptions
    @OptionGroup var global: GlobalOptions

    func run() throws {
        let report = try reportingVFIO { try InspectReport(target.open(global.answer)) }
        if global.json {
            try Output.print(json: report)
        } else {
            Output.print(report.text(width: global.lineWidth, colours: global.colours))
        }
    }
}

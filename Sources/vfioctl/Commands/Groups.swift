internal import ArgumentParser
internal import Host

struct Groups: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups", abstract: "List IOMMU groups: members, viable or not and why.")

    @Flag(help: "Also show reserved address ranges.")
    var explain = false

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let snapshot = try global.observe([.reservedRegions]).snapshot
        let report = GroupsReport(snapshot)
        if global.json {
            try Output.print(json: report)
        } else if report.groups.isEmpty {
            Output.print(
                "no IOMMU groups: the IOMMU is off, or not there (vfioctl check says more)\n", width: global.lineWidth)
        } else {
            Output.print(report.text(explain: explain, of: snapshot), width: global.lineWidth)
        }
    }
}

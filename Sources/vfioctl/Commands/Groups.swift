internal import ArgumentParser
internal import Host

struct Groups: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups", abstract: "List IOMMU groups: members, viable or not and why.")

    @Flag(
        help: "Also show why the members of a group share it, what would part them, reserved address ranges, the IOMMU."
    )
    var explain = false

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let (host, snapshot) = try global.observe(
            explain ? [.reservedRegions, .topology, .iommus] : .reservedRegions)
        let isolation = explain ? snapshot.isolation(on: host) : nil
        let report = GroupsReport(snapshot, isolation)
        if global.json {
            try Output.print(json: report)
        } else if report.groups.isEmpty {
            Output.print(
                "no IOMMU groups: the IOMMU is off, or not there (vfioctl check says more)\n", width: global.lineWidth)
        } else {
            Output.print(report.text(of: snapshot), width: global.lineWidth)
        }
    }
}

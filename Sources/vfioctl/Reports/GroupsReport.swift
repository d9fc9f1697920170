internal import Host
internal import PCI
internal import Rendering

/// The contract's answer of `groups`.
struct GroupsReport: Encodable {
    /// Addresses are strings, as the kernel writes them: a JSON number loses bits above 2^53 in many readers.
    struct Region: Encodable {
        var start: String
        var end: String
        var type: String
    }

    struct Group: Encodable {
        var id: Int
        var devices: [PCIAddress]
        var viable: Bool
        var reasons: [String]
        var reserved: [Region]
        /// Left out, as all that follows, without `--explain`.
        var explanation: ExplanationReport?
        var together: [PCIAddress]?
        var separateBy: [RemedyReport]?
        var claimedApart: [ClaimReport]?
        var forbiddenBy: [String]?
        var iommu: Nullable<IOMMUReport>?

        enum CodingKeys: String, CodingKey {
            case id, devices, viable, reasons, reserved, explanation, together, iommu
            case separateBy = "separate_by"
            case claimedApart = "claimed_apart"
            case forbiddenBy = "forbidden_by"
        }
    }

    let schema = "vfioctl.groups/1"
    var groups: [Group]
    /// Left out without `--explain`; null when the kernel was not given it.
    var acsOverride: Nullable<OverrideReport>?

    enum CodingKeys: String, CodingKey {
        case schema, groups
        case acsOverride = "acs_override"
    }

    init(_ snapshot: HostSnapshot, _ isolation: Isolation?) {
        groups = snapshot.groups.map { group in
            let verdict = snapshot.viability(of: group)
            return Group(
                id: group.id, devices: group.devices, viable: verdict.isViable, reasons: verdict.reasons,
                reserved: group.reserved.map {
                    Region(
                        start: "0x" + hexadecimal($0.start, width: 1), end: "0x" + hexadecimal($0.end, width: 1),
                        type: $0.type)
                })
        }
        guard let isolation else { return }
        for (index, explanation) in zip(groups.indices, isolation.groups) {
            groups[index].explain(explanation)
        }
        acsOverride = Nullable(
            wrappedValue: isolation.override.map {
                OverrideReport(argument: $0.argument, obeyed: isolation.isOverrideObeyed)
            })
    }

    func text(of snapshot: HostSnapshot) -> String {
        var text = ""
        if let override = acsOverride?.wrappedValue { text += override.text + "\n" }
        for group in groups {
            text += "group \(group.id)  " + (group.viable ? "viable" : "not viable: ")
            text += group.reasons.joined(separator: ", ").printable + "\n"
            for address in group.devices {
                text += "  \(address)  \((snapshot.device(at: address)?.driver ?? "-").printable)\n"
            }
            for line in group.explanationLines { text += "  " + line.printable + "\n" }
        }
        return text
    }
}

internal import Host
internal import PCI

// The parts of the contract's answer of `groups --explain`.

/// Why the members of a group share it.
struct ExplanationReport: Encodable {
    struct Cause: Encodable {
        var cause: String
        var via: PCIAddress
        var devices: [PCIAddress]
        var lacking: [Lack]
        var detail: String
        /// Whose configuration space could not be read: the cause is what the kernel's answer implies.
        var unread: [PCIAddress]
    }

    struct Lack: Encodable {
        var port: PCIAddress
        var detail: String
    }

    var agreement: String
    var causes: [Cause]
    var differences: [String]
    var unread: [PCIAddress]

    init(_ isolation: GroupIsolation) {
        agreement = isolation.agreement.rawValue
        causes = isolation.causes.map { Cause($0) }
        differences = isolation.differences
        unread = isolation.unread
    }
}

extension ExplanationReport.Cause {
    init(_ cause: IsolationCause) {
        self.init(
            cause: cause.kind.rawValue, via: cause.via, devices: cause.devices,
            lacking: cause.weaknesses.map { ExplanationReport.Lack(port: $0.port, detail: $0.weakness.description) },
            detail: cause.description, unread: cause.unread)
    }
}

/// Something that would part the members of a group.
struct RemedyReport: Encodable {
    var way: String
    @Nullable var port: PCIAddress?
    @Nullable var slot: Int?
    @Nullable var numaNode: Int?
    var occupiedBy: [PCIAddress]
    var detail: String

    enum CodingKeys: String, CodingKey {
        case way, port, slot, detail
        case numaNode = "numa_node"
        case occupiedBy = "occupied_by"
    }

    init(_ remedy: IsolationRemedy) {
        way = remedy.way.rawValue
        port = remedy.port
        slot = remedy.slot
        numaNode = remedy.numaNode
        occupiedBy = remedy.occupants
        detail = remedy.detail
    }
}

/// Another group that only an argument of the kernel has apart from this one.
struct ClaimReport: Encodable {
    var group: Int
    var devices: [PCIAddress]
    var causes: [ExplanationReport.Cause]
}

/// The IOMMU in front of a group.
struct IOMMUReport: Encodable {
    var name: String
    @Nullable var addressBits: Int?

    enum CodingKeys: String, CodingKey {
        case name
        case addressBits = "address_bits"
    }
}

/// `pcie_acs_override=`.
struct OverrideReport: Encodable {
    var argument: String
    /// Whether this kernel does what it says.
    var obeyed: Bool

    var text: String {
        obeyed
            ? "\(argument): groups are smaller than the hardware isolates. Isolation is claimed by this argument, and "
                + "enforced by nothing; what it has taken apart is said below."
            : "\(argument) is among the kernel's arguments, and this kernel does not know it: it changes nothing."
    }
}

extension GroupsReport.Group {
    mutating func explain(_ isolation: GroupIsolation) {
        explanation = ExplanationReport(isolation)
        together = isolation.together
        separateBy = isolation.remedies.map { RemedyReport($0) }
        claimedApart = isolation.claimed.map { claim in
            ClaimReport(group: claim.group, devices: claim.devices, causes: claim.causes.map { .init($0) })
        }
        forbiddenBy = reserved.filter { $0.type == "direct" }.map {
            "firmware keeps \($0.start)-\($0.end) mapped for a device here (direct): the kernel gives the group to no guest"
        }
        iommu = Nullable(
            wrappedValue: isolation.iommu.map { IOMMUReport(name: $0.name, addressBits: $0.addressBits) })
    }

    /// What `--explain` adds for people: a label and a fact a line.
    var explanationLines: [String] {
        guard let explanation else { return [] }
        var lines: [String] = []
        if let unit = iommu?.wrappedValue {
            lines.append(
                "iommu      \(unit.name), " + (unit.addressBits.map { "\($0)-bit addresses" } ?? "width unknown"))
        }
        for region in reserved { lines.append("reserved   \(region.start)-\(region.end)  \(region.meaning)") }
        for sentence in forbiddenBy ?? [] { lines.append("forbidden  \(sentence)") }
        for cause in explanation.causes { lines.append("because    \(cause.detail)") }
        if explanation.causes.isEmpty, !explanation.unread.isEmpty {
            lines.append(
                "because    nothing could be seen that would put others into it; the configuration space of "
                    + explanation.unread.map(\.description).joined(separator: ", ") + " could not be read to be sure")
        }
        for difference in explanation.differences { lines.append("unexplained  \(difference)") }
        for claim in claimedApart ?? [] {
            lines.append(
                "claimed    apart from group \(claim.group) (\(claim.devices.map(\.description).joined(separator: ", "))) "
                    + "by pcie_acs_override= alone: " + claim.causes.map(\.detail).joined(separator: "; "))
        }
        if let together, together.count > 1 {
            lines.append(
                "together   a guest gets all of \(together.map(\.description).joined(separator: ", ")), or none")
        }
        for remedy in separateBy ?? [] { lines.append("apart by   \(remedy.detail)") }
        return lines
    }
}

extension GroupsReport.Region {
    /// The type, and what it means for a guest.
    fileprivate var meaning: String {
        switch type {
        case "direct": "direct: mapped for the firmware's own use (RMRR), which forbids assignment"
        case "direct-relaxable": "direct-relaxable: mapped for the firmware's use until a driver has it; no obstacle"
        case "msi": "msi: where interrupts are written to; no guest memory"
        case "reserved": "reserved: no guest memory"
        default: type
        }
    }
}

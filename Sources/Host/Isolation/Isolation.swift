public import HostAccess
public import PCI

/// Why a host's IOMMU groups are as they are: the kernel's rule, worked out from topology and access controls, beside
/// the kernel's own answer.
public struct Isolation: Hashable, Sendable {
    /// Every group, by number.
    public var groups: [GroupIsolation]
    /// `pcie_acs_override=`, where the kernel was given it.
    public var override: ACSOverride?
    /// Whether the kernel obeys it: one without the patch does not.
    public var isOverrideObeyed: Bool

    /// The explanation of a group.
    public func group(_ id: Int) -> GroupIsolation? { groups.first { $0.id == id } }
}

/// Why the members of one IOMMU group share it.
public struct GroupIsolation: Hashable, Sendable {
    /// How far the reasons go.
    public enum Agreement: String, Hashable, Sendable {
        /// The rule gives the kernel's answer.
        case computed
        /// It does if what could not be read is as the kernel's answer implies.
        case assumed
        /// It gives another answer.
        case unexplained
    }

    /// The group's number.
    public var id: Int
    /// How far the reasons go.
    public var agreement: Agreement
    /// What puts its members together; none where it has one.
    public var causes: [IsolationCause]
    /// Where the rule and the kernel differ, one sentence each.
    public var differences: [String]
    /// Whose configuration space would have to be read to be sure.
    public var unread: [PCIAddress]
    /// Its endpoints: a guest that gets one of them gets all. Bridges stay with the host.
    public var together: [PCIAddress]
    /// What is apart from it only because `pcie_acs_override=` says so: isolation that is claimed, and enforced by nothing.
    public var claimed: [ClaimedIsolation]
    /// What would part its members.
    public var remedies: [IsolationRemedy]
    /// The IOMMU in front of it.
    public var iommu: IOMMUUnit?
}

/// Another group that hardware would have as one with this.
public struct ClaimedIsolation: Hashable, Sendable {
    /// The other group.
    public var group: Int
    /// Its members.
    public var devices: [PCIAddress]
    /// Why they would share one.
    public var causes: [IsolationCause]
}

extension HostSnapshot {
    /// Explains the groups: a pure function of the snapshot, its topology and IOMMUs read, and of the configuration space
    /// of the devices that matter (`devicesThatDecideGroups`). What is not given, or has 64 bytes, is said to be unread.
    public func isolation(configuration: (PCIAddress) -> ConfigurationSpace?) -> Isolation {
        let hasAMDIOMMU = iommus.contains { $0.isAMD }
        let functions = devices.map { device in
            IsolationFacts(device, bridges: bridges(above: device), configuration: configuration(device.address))
        }
        let enforced = IsolationRule(functions, override: nil, hasAMDIOMMU: hasAMDIOMMU)
        guard let override = kernelArguments.flatMap({ ACSOverride(arguments: $0) }) else {
            return Isolation(
                groups: explain(enforced, functions, claimed: nil), override: nil, isOverrideObeyed: false)
        }
        let claimed = IsolationRule(functions, override: override, hasAMDIOMMU: hasAMDIOMMU)
        let isObeyed = disagreements(of: claimed) <= disagreements(of: enforced)
        return Isolation(
            groups: isObeyed
                ? explain(claimed, functions, claimed: enforced) : explain(enforced, functions, claimed: nil),
            override: override, isOverrideObeyed: isObeyed)
    }

    /// The same, with the configuration space of the devices that matter read from the host.
    public func isolation(on host: any HostAccess) -> Isolation {
        let configurations = configurations(of: devicesThatDecideGroups, from: host)
        return isolation { configurations[$0] }
    }

    /// The functions whose configuration space says why groups are as they are: bridges, functions that share a slot, and
    /// members of a group of several. Reading any other's would wake it for nothing.
    public var devicesThatDecideGroups: [PCIAddress] {
        let slots = Dictionary(grouping: devices) {
            UInt64($0.address.domain) << 16 | UInt64($0.address.routingID & ~7)
        }
        let shared = Set(groups.lazy.filter { $0.devices.count > 1 }.flatMap(\.devices))
        return devices.filter { device in
            guard device.iommuGroup != nil, device.physicalFunction == nil else { return false }
            let slot = UInt64(device.address.domain) << 16 | UInt64(device.address.routingID & ~7)
            return device.isPCIBridge || shared.contains(device.address) || (slots[slot]?.count ?? 0) > 1
        }.map(\.address)
    }

    /// The bridges above a device, from the root down; a virtual function's are its physical one's where its own are not
    /// known.
    private func bridges(above device: Device) -> [PCIAddress] {
        let own = device.topology ?? device.physicalFunction.flatMap { self.device(at: $0)?.topology }
        return own?.bridges ?? []
    }

    /// How many groups the rule gives that the kernel has not.
    private func disagreements(of rule: IsolationRule) -> Int {
        let members = Self.members(of: rule)
        return groups.count { !differences(of: $0, in: rule, members).isEmpty }
    }

    private static func members(of rule: IsolationRule) -> [PCIAddress: [PCIAddress]] {
        Dictionary(grouping: rule.founders.keys) { rule.founders[$0] ?? $0 }
    }

    // MARK: one group

    private func explain(
        _ rule: IsolationRule, _ functions: [IsolationFacts], claimed enforced: IsolationRule?
    ) -> [GroupIsolation] {
        var rule = rule
        let members = Self.members(of: rule)
        let nature = Dictionary(functions.map { ($0.address, $0.nature) }) { first, _ in first }
        let causes = Self.causes(rule.joins, nature: nature)
        let enforcedMembers = enforced.map(Self.members)
        let enforcedCauses = enforced.map { Self.causes($0.joins, nature: nature) } ?? []
        let slots = IsolatingSlots(devices: devices, functions: functions, rule: &rule)
        return groups.map { group in
            let own = causes.filter { cause in cause.devices.contains(where: group.devices.contains) }
                .filter { group.devices.contains($0.via) }
            let differences = differences(of: group, in: rule, members)
            let unread = Set(own.flatMap(\.unread) + group.devices.flatMap { rule.assumedApart[$0] ?? [] }).sorted()
            return GroupIsolation(
                id: group.id,
                agreement: differences.isEmpty ? unread.isEmpty ? .computed : .assumed : .unexplained, causes: own,
                differences: differences, unread: unread,
                together: group.devices.filter { device(at: $0)?.isPCIBridge == false },
                claimed: enforced.map {
                    claims(on: group, enforced: $0, members: enforcedMembers ?? [:], causes: enforcedCauses)
                } ?? [],
                remedies: remedies(for: group, causes: own, slots: slots),
                iommu: group.devices.lazy.compactMap { self.iommu(of: $0) }.first)
        }
    }

    private func differences(
        of group: IOMMUGroup, in rule: IsolationRule, _ members: [PCIAddress: [PCIAddress]]
    ) -> [String] {
        let founders = Set(group.devices.compactMap { rule.founders[$0] }).sorted()
        var texts: [String] = []
        if founders.count > 1 {
            let parts = founders.map { founder in
                group.devices.filter { rule.founders[$0] == founder }.map(\.description).joined(separator: ", ")
            }
            texts.append("nothing that could be read puts these together: " + parts.joined(separator: " | "))
        }
        let others = Set(founders.flatMap { members[$0] ?? [] }).subtracting(group.devices).sorted()
        if !others.isEmpty {
            texts.append(
                "by the rule these would be in it as well, and the kernel has them apart: "
                    + others.map(\.description).joined(separator: ", "))
        }
        return texts
    }

    /// Joins of one kind to one function, as one cause; functions of one slot as one, whoever came first.
    private static func causes(
        _ joins: [IsolationRule.Join], nature: [PCIAddress: String?]
    ) -> [IsolationCause] {
        struct Key: Hashable {
            var kind: IsolationCause.Kind
            var via: PCIAddress
        }
        var keys: [Key] = []
        var causes: [Key: IsolationCause] = [:]
        for join in joins {
            var via = join.via
            var devices = [join.function]
            if join.cause == .functions {
                via = PCIAddress(domain: via.domain, routingID: via.routingID & ~7)
                devices.append(join.other)
            } else if join.cause == .alias {
                devices.append(join.other)
            }
            let key = Key(kind: join.cause, via: via)
            if causes[key] == nil { keys.append(key) }
            var cause =
                causes[key]
                ?? IsolationCause(kind: join.cause, via: join.via, nature: nature[join.via] ?? nil, devices: [])
            cause.devices = Set(cause.devices + devices).sorted()
            cause.weaknesses = Set(cause.weaknesses + join.weaknesses).sorted { $0.port < $1.port }
            cause.unread = Set(cause.unread + join.unread).sorted()
            if join.cause == .functions { cause.via = cause.devices[0] }
            causes[key] = cause
        }
        return keys.compactMap { causes[$0] }
    }

    /// The other groups that hardware would have as one with this.
    private func claims(
        on group: IOMMUGroup, enforced: IsolationRule, members: [PCIAddress: [PCIAddress]], causes: [IsolationCause]
    ) -> [ClaimedIsolation] {
        let founders = Set(group.devices.compactMap { enforced.founders[$0] })
        let all = Set(founders.flatMap { members[$0] ?? [] })
        let others = all.subtracting(group.devices)
        return Dictionary(grouping: others) { device(at: $0)?.iommuGroup }.compactMap { id, devices in
            id.map { id in
                ClaimedIsolation(
                    group: id, devices: devices.sorted(),
                    causes: causes.filter { $0.devices.contains { all.contains($0) } })
            }
        }.sorted { $0.group < $1.group }
    }
}

extension IsolationFacts {
    /// What kind of bridge it is, where that is a reason.
    fileprivate var nature: String? {
        switch type {
        case .known(.toPCIBridge?): "a PCIe-to-PCI bridge"
        case .known(.fromPCIBridge?): "a PCI-to-PCIe bridge"
        case .known(nil) where isPCIBridge && KnownIsolation.isHiddenExpressBridge(self):
            "a PCIe-to-PCI bridge (which does not show that it is PCI Express)"
        case .known(nil) where isPCIBridge: "a conventional PCI bridge"
        default: nil
        }
    }
}

internal import PCI

/// The kernel's rule that puts a PCI function into an IOMMU group: `pci_device_group` in drivers/iommu/iommu.c (Linux
/// 6.12), which Intel's, AMD's and ARM's IOMMU drivers use.
///
/// Functions are placed one after the other, bridges before what is below them, as the kernel finds them. Each either
/// joins the group of one that was placed before, for a cause, or founds a group.
///
/// A fact that was not read is taken to be what the kernel's own answer implies; the causes say so.
struct IsolationRule {
    /// Why a function joined another one's group.
    struct Join {
        var function: PCIAddress
        var other: PCIAddress
        var cause: IsolationCause.Kind
        var via: PCIAddress
        var weaknesses: [IsolationCause.Weakness] = []
        /// What was not read and is inferred.
        var unread: [PCIAddress] = []
    }

    private let functions: [PCIAddress: IsolationFacts]
    private let override: ACSOverride?
    private let hasAMDIOMMU: Bool
    private var controls: [PCIAddress: AccessControl] = [:]
    private var bySlot: [UInt64: [PCIAddress]] = [:]
    private var byBus: [UInt64: [PCIAddress]] = [:]
    /// The functions of a bus whose DMA carries others' requester ids: hardly any.
    private var speakersByBus: [UInt64: [PCIAddress]] = [:]

    /// The founder of each function's group: two functions share a group when they have the same one.
    private(set) var founders: [PCIAddress: PCIAddress] = [:]
    private(set) var joins: [Join] = []
    /// Functions that stand apart only if something was as the kernel implies: what was not read.
    private(set) var assumedApart: [PCIAddress: [PCIAddress]] = [:]

    init(_ functions: [IsolationFacts], override: ACSOverride?, hasAMDIOMMU: Bool) {
        self.functions = Dictionary(functions.map { ($0.address, $0) }) { first, _ in first }
        self.override = override
        self.hasAMDIOMMU = hasAMDIOMMU
        for function in functions where function.group != nil {
            bySlot[Self.key(function.address, mask: ~7), default: []].append(function.address)
            let bus = Self.key(function.address, mask: 0xff00)
            byBus[bus, default: []].append(function.address)
            if KnownIsolation.speaksAsOthers(function) { speakersByBus[bus, default: []].append(function.address) }
        }
        // A bridge has fewer bridges above it than what is below it, whatever the buses are called.
        let ordered = functions.sorted { ($0.depth, $0.address) < ($1.depth, $1.address) }
        for function in ordered where function.group != nil { place(function) }
    }

    private static func key(_ address: PCIAddress, mask: UInt16) -> UInt64 {
        UInt64(address.domain) << 16 | UInt64(address.routingID & mask)
    }

    /// Whether a function lets its peers be reached.
    mutating func control(of function: IsolationFacts) -> AccessControl {
        if let known = controls[function.address] { return known }
        let control = AccessControl(function, override: override, hasAMDIOMMU: hasAMDIOMMU)
        controls[function.address] = control
        return control
    }

    /// Whether a port and all above it keep what is below to the IOMMU (`pci_acs_path_enabled`).
    mutating func path(from port: IsolationFacts) -> (weaknesses: [IsolationCause.Weakness], unread: [PCIAddress]) {
        var weaknesses: [IsolationCause.Weakness] = []
        var unread: [PCIAddress] = []
        for address in [port.address] + port.bridges {
            guard let function = functions[address] else { continue }
            switch control(of: function) {
            case .isolates: break
            case .open(let weakness): weaknesses.append(.init(port: address, weakness: weakness))
            case .unread: unread.append(address)
            }
        }
        return (weaknesses, unread)
    }

    /// Whether a port's isolation, or that of one above it, is claimed by an argument of the kernel alone.
    mutating func isClaimed(_ port: IsolationFacts) -> Bool {
        for function in ([port.address] + port.bridges).compactMap({ functions[$0] }) {
            if control(of: function) == .isolates(.claimed) { return true }
        }
        return false
    }

    // MARK: placing

    private mutating func place(_ function: IsolationFacts) {
        if let join = join(of: function), let founder = founders[join.other] {
            founders[function.address] = founder
            joins.append(join)
        } else {
            founders[function.address] = function.address
        }
    }

    /// Whom a function joins; nil when it founds a group.
    private mutating func join(of function: IsolationFacts) -> Join? {
        if let controller = function.controller, founders[controller] != nil {
            return Join(function: function.address, other: controller, cause: .controller, via: controller)
        }
        if let join = joinByRequesterID(function) { return join }
        var top = function
        for bridge in function.bridges.compactMap({ functions[$0] }) {
            let (weaknesses, unread) = path(from: bridge)
            if weaknesses.isEmpty {
                if unread.isEmpty { break }
                guard isTogether(function, bridge) else {
                    assumedApart[function.address, default: []] += unread
                    break
                }
            }
            top = bridge
            if founders[bridge.address] != nil {
                return Join(
                    function: function.address, other: bridge.address, cause: .port, via: bridge.address,
                    weaknesses: weaknesses, unread: weaknesses.isEmpty ? unread : [])
            }
        }
        var seen: Set<PCIAddress> = []
        return joinByAlias(top, for: function, seen: &seen) ?? joinBySlot(top, for: function, seen: &seen)
    }

    /// A bridge to conventional PCI speaks for all that is below it (`pci_for_each_dma_alias`).
    private func joinByRequesterID(_ function: IsolationFacts) -> Join? {
        for bridge in function.bridges.compactMap({ functions[$0] }) {
            if KnownIsolation.isTranslationRoot(bridge) { return nil }
            let speaks: Bool
            switch bridge.type {
            case .known(.toPCIBridge?), .known(.fromPCIBridge?): speaks = true
            case .known(nil): speaks = true
            case .known, .unread: speaks = false
            }
            if speaks, founders[bridge.address] != nil {
                return Join(
                    function: function.address, other: bridge.address, cause: .bridge, via: bridge.address)
            }
        }
        return nil
    }

    /// Functions on the bus that one speaks as, or that speak as it (`get_pci_alias_group`).
    private mutating func joinByAlias(
        _ top: IsolationFacts, for function: IsolationFacts, seen: inout Set<PCIAddress>
    ) -> Join? {
        guard seen.insert(top.address).inserted else { return nil }
        if founders[top.address] != nil, top.address != function.address {
            return Join(function: function.address, other: top.address, cause: .alias, via: top.address)
        }
        let bus = Self.key(top.address, mask: 0xff00)
        let candidates = KnownIsolation.speaksAsOthers(top) ? byBus[bus] : speakersByBus[bus]
        for address in candidates ?? [] where address != top.address {
            guard let other = functions[address],
                KnownIsolation.function(top, speaksAs: other) || KnownIsolation.function(other, speaksAs: top)
            else { continue }
            let speaker = KnownIsolation.function(top, speaksAs: other) ? top.address : address
            if var join = joinByAlias(other, for: function, seen: &seen)
                ?? joinBySlot(other, for: function, seen: &seen)
            {
                (join.cause, join.via) = (.alias, speaker)
                return join
            }
        }
        return nil
    }

    /// Functions of the same slot that reach each other inside the device (`get_pci_function_alias_group`).
    private mutating func joinBySlot(
        _ top: IsolationFacts, for function: IsolationFacts, seen: inout Set<PCIAddress>
    ) -> Join? {
        let siblings = (bySlot[Self.key(top.address, mask: ~7)] ?? []).filter { $0 != top.address }
        guard !siblings.isEmpty, top.isMultifunction != .known(false) else { return nil }
        let own = control(of: top)
        if case .isolates = own { return nil }
        for sibling in siblings.compactMap({ functions[$0] }) {
            let others = control(of: sibling)
            if case .isolates = others { continue }
            guard let founder = joinByAlias(sibling, for: function, seen: &seen)?.other else { continue }
            let pair = [(top.address, own), (sibling.address, others)]
            let unread = pair.filter { $0.1 == .unread }.map(\.0)
            if !unread.isEmpty {
                guard let facts = functions[founder], isTogether(function, facts) else {
                    assumedApart[function.address, default: []] += unread
                    continue
                }
            }
            var weaknesses: [IsolationCause.Weakness] = []
            for case (let address, .open(let weakness)) in pair {
                weaknesses.append(.init(port: address, weakness: weakness))
            }
            return Join(
                function: function.address, other: founder, cause: .functions, via: sibling.address,
                weaknesses: weaknesses, unread: unread)
        }
        return nil
    }

    /// The kernel's own answer, where facts are missing.
    private func isTogether(_ one: IsolationFacts, _ other: IsolationFacts) -> Bool {
        one.group != nil && one.group == other.group
    }
}

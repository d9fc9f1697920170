public import PCI

/// Something that would part the members of an IOMMU group.
public struct IsolationRemedy: Hashable, Sendable {
    /// What kind of thing; the words are part of the command contract.
    public enum Way: String, Hashable, Sendable, CaseIterable {
        /// Another slot for the card.
        case slot
        /// An option of the firmware.
        case firmware
        /// An argument of the kernel.
        case kernelArgument = "kernel-argument"
        /// Another device: no place and no setting parts this one.
        case device
    }

    /// What kind of thing.
    public var way: Way
    /// The port above the slot, or the one that is to be set.
    public var port: PCIAddress?
    /// The slot's number on the chassis, where the port says.
    public var slot: Int?
    /// The NUMA node of the slot; nil when unknown.
    public var numaNode: Int?
    /// What is in the slot now.
    public var occupants: [PCIAddress]
    /// One sentence for a person.
    public var detail: String

    init(
        _ way: Way, port: PCIAddress? = nil, slot: Int? = nil, numaNode: Int? = nil, occupants: [PCIAddress] = [],
        detail: String
    ) {
        self.way = way
        self.port = port
        self.slot = slot
        self.numaNode = numaNode
        self.occupants = occupants
        self.detail = detail
    }
}

/// The slots whose card would have a group of its own: ports that keep what is below them to the IOMMU, all the way up.
struct IsolatingSlots {
    private(set) var slots: [IsolationRemedy] = []

    init(devices: [Device], functions: [IsolationFacts], rule: inout IsolationRule) {
        var occupants: [PCIAddress: [PCIAddress]] = [:]
        for function in functions where !function.isVirtual {
            if let port = function.bridges.first { occupants[port, default: []].append(function.address) }
        }
        for (device, function) in zip(devices, functions) {
            guard function.group != nil, case .known(let type?) = function.type, type.isDownstreamFacing,
                type != .fromPCIBridge
            else { continue }
            let path = rule.path(from: function)
            guard path.weaknesses.isEmpty, path.unread.isEmpty, !rule.isClaimed(function) else { continue }
            // A port without a slot goes to a chip on the board.
            guard function.slot.hasSlot else { continue }
            let below = occupants[device.address] ?? []
            let node = device.numaNode.map { "node \($0)" } ?? "node unknown"
            let number = function.slot.number.map { "slot \($0), " } ?? ""
            slots.append(
                IsolationRemedy(
                    .slot, port: device.address, slot: function.slot.number, numaNode: device.numaNode,
                    occupants: below,
                    detail: "the slot below \(device.address) (\(number)\(node), "
                        + (below.isEmpty
                            ? "free)" : "now \(below.map(\.description).joined(separator: ", ")))")))
        }
    }
}

extension HostSnapshot {
    /// What would part the members of a group: a slot elsewhere, settings, or nothing but another device.
    func remedies(for group: IOMMUGroup, causes: [IsolationCause], slots: IsolatingSlots) -> [IsolationRemedy] {
        let endpoints = group.devices.compactMap { device(at: $0) }.filter { !$0.isPCIBridge }
        guard endpoints.count > 1 else { return [] }
        var remedies: [IsolationRemedy] = []
        var isCardMoved = false
        for cause in causes {
            switch cause.kind {
            case .functions where cause.devices.contains { device(at: $0)?.isPCIBridge == true }:
                isCardMoved = true
                remedies += settings(for: cause)
            case .functions:
                remedies.append(
                    IsolationRemedy(
                        .device, port: nil,
                        detail:
                            "functions of one device stay together in any slot: \(Self.list(cause.devices)); a device "
                            + "with ACS, or virtual functions of one with SR-IOV, can be parted"))
            case .alias:
                remedies.append(
                    IsolationRemedy(
                        .device,
                        detail: "\(cause.via) uses another function's requester id in any slot: another model does not")
                )
            case .bridge:
                isCardMoved = true
            case .port:
                isCardMoved = true
                remedies += settings(for: cause)
            case .controller:
                isCardMoved = true
                remedies.append(
                    IsolationRemedy(
                        .firmware, port: cause.via,
                        detail:
                            "switch VMD off in the firmware, for the slots of these devices: \(Self.list(cause.devices))"
                    ))
            }
        }
        if isCardMoved { remedies += otherSlots(for: endpoints, in: group, slots) }
        return remedies
    }

    /// Free slots, those on the devices' own node first; where none is free, those that are taken.
    private func otherSlots(for endpoints: [Device], in group: IOMMUGroup, _ slots: IsolatingSlots) -> [IsolationRemedy]
    {
        let nodes = Set(endpoints.compactMap(\.numaNode))
        let above = Set(endpoints.flatMap { $0.topology?.bridges ?? [] })
        let others = slots.slots.filter { slot in
            guard let port = slot.port else { return false }
            return !above.contains(port) && !group.devices.contains(port)
        }
        let free = others.filter(\.occupants.isEmpty)
        let offered = free.isEmpty ? others : free
        let near = offered.filter { $0.numaNode.map(nodes.contains) ?? nodes.isEmpty }
        return near + offered.filter { !near.contains($0) }
    }

    private func settings(for cause: IsolationCause) -> [IsolationRemedy] {
        cause.weaknesses.compactMap { lacking in
            switch lacking.weakness {
            case .noControls:
                return IsolationRemedy(
                    .firmware, port: lacking.port,
                    detail: "an option of the firmware may give \(lacking.port) its access controls ("
                        + (device(at: lacking.port)?.identity.vendorID == 0x1022
                            ? "ACS Enable, with AER, under NBIO on AMD's boards)" : "ACS, or Access Control Services)"))
            case .switchedOff(let controls):
                if let argument = kernelArguments?.last(where: {
                    $0.hasPrefix("pci=") && $0.contains("disable_acs_redir")
                }) {
                    return IsolationRemedy(
                        .kernelArgument, port: lacking.port,
                        detail: "\(argument) among the kernel's arguments switches access controls off: take it out")
                }
                return IsolationRemedy(
                    .kernelArgument, port: lacking.port,
                    detail:
                        "pci=config_acs=\(controls.kernelFlags)@\(lacking.port) as an argument of the kernel (6.11 and "
                        + "newer) switches them on")
            case .conventional, .conventionalSide:
                return nil
            }
        }
    }

    private static func list(_ addresses: [PCIAddress]) -> String {
        addresses.map(\.description).joined(separator: ", ")
    }
}

extension AccessControlServices.Controls {
    /// As `pci=config_acs=` wants them: the highest bit first, 1 for on, x for as it is.
    var kernelFlags: String {
        String((0..<7).reversed().map { rawValue >> $0 & 1 == 1 ? "1" : "x" }.drop { $0 == "x" }.joined())
    }
}

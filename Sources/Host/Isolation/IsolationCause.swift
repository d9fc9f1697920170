public import PCI

/// One reason why functions are in one IOMMU group.
public struct IsolationCause: Hashable, Sendable {
    /// What kind of reason; the words are part of the command contract.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A bridge to conventional PCI speaks for what is below it.
        case bridge
        /// A port, or one above it, does not keep what is below it to the IOMMU.
        case port
        /// Functions of one device reach each other inside it.
        case functions
        /// A device's DMA carries another one's requester id.
        case alias
        /// A VMD controller speaks for the devices of its domain.
        case controller
    }

    /// A port or function, and what it lacks.
    public struct Weakness: Hashable, Sendable {
        /// Which one.
        public var port: PCIAddress
        /// What it lacks.
        public var weakness: IsolationWeakness

        /// Makes a weakness.
        public init(port: PCIAddress, weakness: IsolationWeakness) {
            self.port = port
            self.weakness = weakness
        }
    }

    /// What kind of reason.
    public var kind: Kind
    /// The bridge, port, controller or function that is the reason; the lowest of several functions.
    public var via: PCIAddress
    /// What `via` is, where that is not plain: `a PCIe-to-PCI bridge`.
    public var nature: String?
    /// The functions that it puts into the group of `via`, by address.
    public var devices: [PCIAddress]
    /// What is lacking, where something is: on the way up from `via`, or in the functions.
    public var weaknesses: [Weakness]
    /// Whose configuration space would have told, and could not be read: the reason is what the kernel's answer implies.
    public var unread: [PCIAddress]

    /// Makes a cause.
    public init(
        kind: Kind, via: PCIAddress, nature: String? = nil, devices: [PCIAddress], weaknesses: [Weakness] = [],
        unread: [PCIAddress] = []
    ) {
        self.kind = kind
        self.via = via
        self.nature = nature
        self.devices = devices
        self.weaknesses = weaknesses
        self.unread = unread
    }
}

extension IsolationCause: CustomStringConvertible {
    /// One sentence for a person, the names of the functions in it.
    public var description: String {
        let named = Self.list(devices.map(\.description))
        let lacking = Self.list(weaknesses.map { "\($0.port) \($0.weakness)" })
        let implied =
            unread.isEmpty
            ? ""
            : "; so the kernel's answer implies: the configuration space of \(Self.list(unread.map(\.description))) could "
                + "not be read"
        switch kind {
        case .bridge:
            return
                "\(via) is \(nature ?? "a bridge to conventional PCI"): DMA of what is below it carries the bridge's own "
                + "requester id, by which the IOMMU cannot tell it apart: \(named)" + implied
        case .port:
            let reason = lacking.isEmpty ? "\(via) does not isolate" : lacking
            return "\(reason): what is below \(via) could be reached without passing the IOMMU: \(named)" + implied
        case .functions:
            let kinds = Set(weaknesses.map(\.weakness))
            let reason = kinds.count == 1 && weaknesses.count > 1 ? "each \(weaknesses[0].weakness)" : lacking
            return "\(named) are functions of one device without ACS between them"
                + (reason.isEmpty ? "" : " (\(reason))") + ": they could reach each other inside it" + implied
        case .alias:
            return
                "\(via) does DMA with another function's requester id (a known fault of the model), so the IOMMU cannot "
                + "tell them apart: \(named)" + implied
        case .controller:
            return "\(via) is a VMD controller: DMA of what is below it carries the controller's requester id: \(named)"
                + implied
        }
    }

    private static func list(_ texts: [String]) -> String { texts.joined(separator: ", ") }
}

/// Access Control Services: whether a port or function keeps traffic between its peers from bypassing the IOMMU
/// (PCI Express 7.7.11; `PCI_ACS_CAP`, `PCI_ACS_CTRL` in linux/pci_regs.h).
public struct AccessControlServices: Hashable, Sendable {
    /// The controls, each a bit of both registers.
    public struct Controls: OptionSet, Hashable, Sendable {
        /// The register.
        public let rawValue: UInt16

        /// Makes the set of a register.
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// Source validation (`PCI_ACS_SV`).
        public static let sourceValidation = Controls(rawValue: 0x01)
        /// Translation blocking (`PCI_ACS_TB`).
        public static let translationBlocking = Controls(rawValue: 0x02)
        /// Peer-to-peer request redirect (`PCI_ACS_RR`).
        public static let requestRedirect = Controls(rawValue: 0x04)
        /// Peer-to-peer completion redirect (`PCI_ACS_CR`).
        public static let completionRedirect = Controls(rawValue: 0x08)
        /// Upstream forwarding (`PCI_ACS_UF`).
        public static let upstreamForwarding = Controls(rawValue: 0x10)
        /// Peer-to-peer egress control (`PCI_ACS_EC`).
        public static let egressControl = Controls(rawValue: 0x20)
        /// Direct translated peer-to-peer (`PCI_ACS_DT`).
        public static let directTranslated = Controls(rawValue: 0x40)
        /// The controls that the kernel asks of a port before it lets what is below be groups of their own
        /// (`REQ_ACS_FLAGS` in drivers/iommu/iommu.c).
        public static let isolation: Controls = [
            .sourceValidation, .requestRedirect, .completionRedirect, .upstreamForwarding,
        ]
    }

    /// What the hardware can do (`PCI_ACS_CAP`).
    public let supported: Controls
    /// What is switched on (`PCI_ACS_CTRL`).
    public let enabled: Controls

    /// Decodes the registers; nil when they do not reach that far.
    init?(_ registers: Registers) {
        guard registers.reaches(0x08) else { return nil }
        supported = Controls(rawValue: registers.word(0x04) & 0x7f)
        enabled = Controls(rawValue: registers.word(0x06) & 0x7f)
    }
}

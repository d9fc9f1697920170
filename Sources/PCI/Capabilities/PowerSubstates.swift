/// L1 substates: how deep a link may sleep (PCI Express 7.8.3; `PCI_L1SS_…` in linux/pci_regs.h).
public struct L1PowerSubstates: Hashable, Sendable {
    /// The substates, once for each way into them.
    public struct Substates: OptionSet, Hashable, Sendable {
        /// Four bits.
        public let rawValue: Int

        /// Makes a set of its bits.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// L1.2 by power management.
        public static let powerManagementL12 = Substates(rawValue: 1)
        /// L1.1 by power management.
        public static let powerManagementL11 = Substates(rawValue: 2)
        /// L1.2 by ASPM.
        public static let aspmL12 = Substates(rawValue: 4)
        /// L1.1 by ASPM.
        public static let aspmL11 = Substates(rawValue: 8)
    }

    /// What the link can do (`PCI_L1SS_CAP`).
    public let supported: Substates
    /// What is switched on (`PCI_L1SS_CTL1`).
    public let enabled: Substates

    init?(_ registers: Registers) {
        guard registers.reaches(0x10) else { return nil }
        supported = Substates(rawValue: registers.long(0x04).bits(0...3))
        enabled = Substates(rawValue: registers.long(0x08).bits(0...3))
    }
}

/// Precision Time Measurement: clocks agreed on over the link (PCI Express 7.9.15; `PCI_PTM_…`).
public struct PrecisionTimeMeasurement: Hashable, Sendable {
    /// It can ask for the time (`PCI_PTM_CAP_REQ`).
    public let isRequester: Bool
    /// It can answer.
    public let isResponder: Bool
    /// It can be the source (`PCI_PTM_CAP_ROOT`).
    public let isRoot: Bool
    /// Switched on (`PCI_PTM_CTRL_ENABLE`).
    public let isEnabled: Bool

    init?(_ registers: Registers) {
        guard registers.reaches(0x0c) else { return nil }
        let capabilities = registers.long(0x04)
        isRequester = capabilities.bit(0)
        isResponder = capabilities.bit(1)
        isRoot = capabilities.bit(2)
        isEnabled = registers.long(0x08).bit(0)
    }
}

/// Advanced Error Reporting (PCI Express 7.8.4; `PCI_ERR_…` in linux/pci_regs.h).
public struct AdvancedErrorReporting: Hashable, Sendable {
    /// Errors that lost something (`PCI_ERR_UNC_…`).
    public struct Uncorrectable: OptionSet, Hashable, Sendable {
        /// The register.
        public let rawValue: UInt32

        /// Makes the set of a register.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Each error that has a name, lowest bit first; the names are those of the kernel's log.
        public static let all: [(error: Uncorrectable, name: String)] = [
            (Uncorrectable(rawValue: 1 << 4), "DLP"), (Uncorrectable(rawValue: 1 << 5), "SDES"),
            (Uncorrectable(rawValue: 1 << 12), "TLP"), (Uncorrectable(rawValue: 1 << 13), "FCP"),
            (Uncorrectable(rawValue: 1 << 14), "CmpltTO"), (Uncorrectable(rawValue: 1 << 15), "CmpltAbrt"),
            (Uncorrectable(rawValue: 1 << 16), "UnxCmplt"), (Uncorrectable(rawValue: 1 << 17), "RxOF"),
            (Uncorrectable(rawValue: 1 << 18), "MalfTLP"), (Uncorrectable(rawValue: 1 << 19), "ECRC"),
            (Uncorrectable(rawValue: 1 << 20), "UnsupReq"), (Uncorrectable(rawValue: 1 << 21), "ACSViol"),
        ]

        /// The names of the errors in the set.
        public var names: [String] { Self.all.filter { contains($0.error) }.map(\.name) }
    }

    /// Errors that were made good (`PCI_ERR_COR_…`).
    public struct Correctable: OptionSet, Hashable, Sendable {
        /// The register.
        public let rawValue: UInt32

        /// Makes the set of a register.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Each error that has a name, lowest bit first; the names are those of the kernel's log.
        public static let all: [(error: Correctable, name: String)] = [
            (Correctable(rawValue: 1 << 0), "RxErr"), (Correctable(rawValue: 1 << 6), "BadTLP"),
            (Correctable(rawValue: 1 << 7), "BadDLLP"), (Correctable(rawValue: 1 << 8), "Rollover"),
            (Correctable(rawValue: 1 << 12), "Timeout"), (Correctable(rawValue: 1 << 13), "AdvNonFatalErr"),
        ]

        /// The names of the errors in the set.
        public var names: [String] { Self.all.filter { contains($0.error) }.map(\.name) }
    }

    /// What happened since it was last cleared (`PCI_ERR_UNCOR_STATUS`).
    public let uncorrectable: Uncorrectable
    /// What is not reported (`PCI_ERR_UNCOR_MASK`).
    public let uncorrectableMask: Uncorrectable
    /// What is reported as fatal (`PCI_ERR_UNCOR_SEVER`).
    public let fatal: Uncorrectable
    /// What happened and was made good (`PCI_ERR_COR_STATUS`).
    public let correctable: Correctable
    /// What of that is not reported (`PCI_ERR_COR_MASK`).
    public let correctableMask: Correctable
    /// The bit of the first uncorrectable error (`PCI_ERR_CAP_FEP`).
    public let firstError: Int
    /// An end-to-end checksum can be made (`PCI_ERR_CAP_ECRC_GENC`).
    public let checksumGeneration: Bool
    /// … and checked (`PCI_ERR_CAP_ECRC_CHKC`).
    public let checksumChecking: Bool

    init?(_ registers: Registers) {
        guard registers.reaches(0x2c) else { return nil }
        uncorrectable = Uncorrectable(rawValue: registers.long(0x04))
        uncorrectableMask = Uncorrectable(rawValue: registers.long(0x08))
        fatal = Uncorrectable(rawValue: registers.long(0x0c))
        correctable = Correctable(rawValue: registers.long(0x10))
        correctableMask = Correctable(rawValue: registers.long(0x14))
        let control = registers.long(0x18)
        firstError = control.bits(0...4)
        checksumGeneration = control.bit(5)
        checksumChecking = control.bit(7)
    }
}

/// Downstream Port Containment: a port shuts its link when something below fails (PCI Express 7.9.14; `PCI_EXP_DPC_…`).
public struct DownstreamPortContainment: Hashable, Sendable {
    /// The vector for its interrupt (`PCI_EXP_DPC_IRQ`).
    public let interruptMessage: Int
    /// What triggers it: 0 nothing, 1 fatal errors, 2 non-fatal ones too (`PCI_EXP_DPC_CTL`).
    public let trigger: Int
    /// Whether it has shut the link (`PCI_EXP_DPC_STATUS_TRIGGER`).
    public let isTriggered: Bool
    /// Software can shut it (`PCI_EXP_DPC_CAP_SW_TRIGGER`).
    public let softwareTrigger: Bool

    init?(_ registers: Registers) {
        guard registers.reaches(0x0c) else { return nil }
        let capabilities = registers.word(0x04)
        interruptMessage = capabilities.bits(0...4)
        softwareTrigger = capabilities.bit(7)
        trigger = registers.word(0x06).bits(0...1)
        isTriggered = registers.word(0x08).bit(0)
    }
}

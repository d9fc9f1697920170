/// The PCI Express capability (PCI Express 7.5.3; `PCI_EXP_…` in linux/pci_regs.h).
public struct PCIExpress: Hashable, Sendable {
    /// What a function is in the fabric (`PCI_EXP_FLAGS_TYPE`).
    public enum PortType: Hashable, Sendable {
        case endpoint, legacyEndpoint, rootPort, upstreamPort, downstreamPort
        /// A bridge from PCI Express to conventional PCI or PCI-X.
        case toPCIBridge
        /// A bridge from conventional PCI or PCI-X to PCI Express.
        case fromPCIBridge
        case rootComplexIntegratedEndpoint, rootComplexEventCollector
        /// A number that the specification does not have.
        case reserved(UInt8)

        init(_ number: Int) {
            self =
                switch number {
                case 0x0: .endpoint
                case 0x1: .legacyEndpoint
                case 0x4: .rootPort
                case 0x5: .upstreamPort
                case 0x6: .downstreamPort
                case 0x7: .toPCIBridge
                case 0x8: .fromPCIBridge
                case 0x9: .rootComplexIntegratedEndpoint
                case 0xa: .rootComplexEventCollector
                default: .reserved(UInt8(truncatingIfNeeded: number))
                }
        }

        /// Whether it has a link below it: a root port, a downstream port, or a bridge to PCI Express.
        public var isDownstreamFacing: Bool {
            switch self {
            case .rootPort, .downstreamPort, .fromPCIBridge: true
            default: false
            }
        }

        /// Whether it has a link at all: what is inside the root complex has none.
        public var hasLink: Bool {
            switch self {
            case .rootComplexIntegratedEndpoint, .rootComplexEventCollector: false
            default: true
            }
        }
    }

    /// The capability's version (`PCI_EXP_FLAGS_VERS`): 1, or 2 where the second set of registers exists.
    public let version: Int
    /// What the function is.
    public let type: PortType
    /// Whether a port's link goes to a slot (`PCI_EXP_FLAGS_SLOT`).
    public let hasSlot: Bool
    /// Which MSI or MSI-X vector the port's own events use (`PCI_EXP_FLAGS_IRQ`).
    public let interruptMessage: Int
    /// The largest payload the function can take, in bytes (`PCI_EXP_DEVCAP_PAYLOAD`).
    public let largestPayload: Int
    /// The payload that is set, in bytes (`PCI_EXP_DEVCTL_PAYLOAD`).
    public let payload: Int
    /// The largest read it may ask for, in bytes (`PCI_EXP_DEVCTL_READRQ`).
    public let readRequest: Int
    /// Tags of 8 bits supported (`PCI_EXP_DEVCAP_EXT_TAG`).
    public let extendedTags: Bool
    /// Whether it can be reset alone, by Function Level Reset (`PCI_EXP_DEVCAP_FLR`).
    public let functionLevelReset: Bool
    /// Relaxed ordering is allowed to it (`PCI_EXP_DEVCTL_RELAX_EN`).
    public let relaxedOrdering: Bool
    /// Requests of its own have not been answered yet (`PCI_EXP_DEVSTA_TRPND`).
    public let transactionsPending: Bool
    /// The link: nil inside the root complex.
    public let link: PCIExpressLink?
    /// The slot below this port: nil for others.
    public let slot: PCIExpressSlot?
    /// The second set of device registers; nil in version 1.
    public let second: SecondRegisters?

    /// `PCI_EXP_DEVCAP2` and `PCI_EXP_DEVCTL2`.
    public struct SecondRegisters: Hashable, Sendable {
        /// A port can address more than eight functions below it (`PCI_EXP_DEVCAP2_ARI`).
        public let ariForwarding: Bool
        /// … and does (`PCI_EXP_DEVCTL2_ARI`): virtual functions past the seventh need it.
        public let ariForwardingEnabled: Bool
        /// Latency Tolerance Reporting is supported (`PCI_EXP_DEVCAP2_LTR`).
        public let latencyToleranceReporting: Bool
        /// … and switched on (`PCI_EXP_DEVCTL2_LTR_EN`).
        public let latencyToleranceReportingEnabled: Bool
        /// Atomic operations pass through this port (`PCI_EXP_DEVCAP2_ATOMIC_ROUTE`).
        public let atomicRouting: Bool
        /// The function may ask for atomic operations (`PCI_EXP_DEVCTL2_ATOMIC_REQ`).
        public let atomicRequests: Bool
        /// Tags of 10 bits can be asked for (`PCI_EXP_DEVCAP2`, bit 17).
        public let tenBitTags: Bool
        /// The completion timeout can be switched off (`PCI_EXP_DEVCAP2_COMP_TMOUT_DIS`).
        public let completionTimeoutDisable: Bool
    }

    /// Decodes the registers; nil when they end before those that every function has.
    init?(_ registers: Registers) {
        guard registers.reaches(0x0c) else { return nil }
        let flags = registers.word(0x02)
        version = flags.bits(0...3)
        type = PortType(flags.bits(4...7))
        // The bit has a meaning in ports that have something below them only.
        hasSlot = flags.bit(8) && type.isDownstreamFacing
        interruptMessage = flags.bits(9...13)
        let capabilities = registers.long(0x04)
        let control = registers.word(0x08)
        largestPayload = 128 << capabilities.bits(0...2)
        payload = 128 << control.bits(5...7)
        readRequest = 128 << control.bits(12...14)
        extendedTags = capabilities.bit(5)
        functionLevelReset = capabilities.bit(28) && Self.mayHaveFunctionLevelReset(type)
        relaxedOrdering = control.bit(4)
        transactionsPending = registers.word(0x0a).bit(5)
        if type.hasLink {
            guard let link = PCIExpressLink(registers, version: version) else { return nil }
            self.link = link
        } else {
            link = nil
        }
        if hasSlot {
            guard let slot = PCIExpressSlot(registers) else { return nil }
            self.slot = slot
        } else {
            slot = nil
        }
        second = version >= 2 ? SecondRegisters(registers) : nil
    }

    private static func mayHaveFunctionLevelReset(_ type: PortType) -> Bool {
        switch type {
        case .endpoint, .legacyEndpoint, .rootComplexIntegratedEndpoint: true
        default: false
        }
    }
}

extension PCIExpress.SecondRegisters {
    fileprivate init?(_ registers: Registers) {
        guard registers.reaches(0x2c) else { return nil }
        let capabilities = registers.long(0x24)
        let control = registers.word(0x28)
        ariForwarding = capabilities.bit(5)
        ariForwardingEnabled = control.bit(5)
        latencyToleranceReporting = capabilities.bit(11)
        latencyToleranceReportingEnabled = control.bit(10)
        atomicRouting = capabilities.bit(6)
        atomicRequests = control.bit(6)
        tenBitTags = capabilities.bit(17)
        completionTimeoutDisable = capabilities.bit(4)
    }
}

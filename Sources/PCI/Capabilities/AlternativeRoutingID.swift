/// Alternative Routing-ID Interpretation: more than eight functions in one device (PCI Express 7.8.8; `PCI_ARI_…`).
public struct AlternativeRoutingID: Hashable, Sendable {
    /// The number of the next function; 0 ends the list (`PCI_ARI_CAP_NFN`).
    public let nextFunction: Int
    /// Arbitration by groups of functions is supported (`PCI_ARI_CAP_MFVC`).
    public let functionGroupArbitration: Bool
    /// ACS by groups of functions is supported (`PCI_ARI_CAP_ACS`).
    public let functionGroupACS: Bool
    /// The group that this function is in (`PCI_ARI_CTRL_FG`).
    public let functionGroup: Int

    init?(_ registers: Registers) {
        guard registers.reaches(0x08) else { return nil }
        let capabilities = registers.word(0x04)
        functionGroupArbitration = capabilities.bit(0)
        functionGroupACS = capabilities.bit(1)
        nextFunction = capabilities.bits(8...15)
        functionGroup = registers.word(0x06).bits(4...6)
    }
}

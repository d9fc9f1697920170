/// What PCI Express gives its functions, for a conventional one inside the root complex (`PCI_AF_…`).
public struct AdvancedFeatures: Hashable, Sendable {
    /// Whether it can be reset alone (`PCI_AF_CAP_FLR`).
    public let functionLevelReset: Bool
    /// Whether it says if requests of its own are outstanding (`PCI_AF_CAP_TP`).
    public let transactionsPendingReported: Bool
    /// Requests of its own have not been answered yet (`PCI_AF_STATUS_TP`).
    public let transactionsPending: Bool

    init?(_ registers: Registers) {
        guard registers.reaches(0x06) else { return nil }
        transactionsPendingReported = registers.byte(0x03).bit(0)
        functionLevelReset = registers.byte(0x03).bit(1)
        transactionsPending = registers.byte(0x05).bit(0)
    }
}

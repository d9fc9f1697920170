/// The slot below a port (PCI Express 7.5.3.9; `PCI_EXP_SLTCAP`, `PCI_EXP_SLTSTA`).
public struct PCIExpressSlot: Hashable, Sendable {
    /// The number that the chassis has on it (`PCI_EXP_SLTCAP_PSN`).
    public let number: Int
    /// The power a card may draw, in milliwatts; nil for more than 600 W (`PCI_EXP_SLTCAP_SPLV`, `PCI_EXP_SLTCAP_SPLS`).
    public let powerLimit: Int?
    /// Cards may come and go (`PCI_EXP_SLTCAP_HPC`).
    public let isHotPlugCapable: Bool
    /// … without warning (`PCI_EXP_SLTCAP_HPS`).
    public let surpriseRemoval: Bool
    /// There is a button to ask for removal (`PCI_EXP_SLTCAP_ABP`).
    public let attentionButton: Bool
    /// Power can be switched off (`PCI_EXP_SLTCAP_PCP`).
    public let powerController: Bool
    /// A card is in it (`PCI_EXP_SLTSTA_PDS`).
    public let isOccupied: Bool

    init?(_ registers: Registers) {
        guard registers.reaches(0x1c) else { return nil }
        let capabilities = registers.long(0x14)
        number = capabilities.bits(19...31)
        powerLimit = Self.milliwatts(value: capabilities.bits(7...14), scale: capabilities.bits(15...16))
        isHotPlugCapable = capabilities.bit(6)
        surpriseRemoval = capabilities.bit(5)
        attentionButton = capabilities.bit(0)
        powerController = capabilities.bit(1)
        isOccupied = registers.word(0x1a).bit(6)
    }

    /// A value in units of 1, 0.1, 0.01 or 0.001 W. In the first, the values from 0xf0 on are codes: steps of 25 W from
    /// 250 W, and the last of them for more than any.
    static func milliwatts(value: Int, scale: Int) -> Int? {
        if scale == 0, value >= 0xf0 { return value < 0xff ? 250_000 + 25_000 * (value - 0xf0) : nil }
        return value * [1000, 100, 10, 1][scale & 3]
    }
}

/// A HyperTransport capability, of which there are many kinds (`PCI_CAP_ID_HT`; `HT_CAPTYPE_…` in linux/pci_regs.h).
public struct HyperTransport: Hashable, Sendable {
    /// Which kind.
    public enum Kind: Hashable, Sendable {
        case secondaryInterface, primaryInterface, `switch`, interruptDiscovery, revision, unitIDClumping
        case extendedConfiguration, addressMapping, msiMapping, directRoute, vcSet, retryMode, x86
        /// Another one: the five bits of its number.
        case other(Int)
    }

    /// Which kind it is.
    public let kind: Kind
    /// For a mapping of MSI messages to HyperTransport's: whether it is switched on (`HT_MSI_FLAGS_ENABLE`).
    public let isEnabled: Bool?
    /// For such a mapping: whether its address cannot be moved (`HT_MSI_FLAGS_FIXED`).
    public let isFixed: Bool?

    init?(_ registers: Registers) {
        guard registers.reaches(0x04) else { return nil }
        let command = registers.word(0x02)
        kind =
            switch (command.bits(13...15), command.bits(11...15)) {
            case (0, _): .primaryInterface
            case (1, _): .secondaryInterface
            case (_, 0x08): .switch
            case (_, 0x10): .interruptDiscovery
            case (_, 0x11): .revision
            case (_, 0x12): .unitIDClumping
            case (_, 0x13): .extendedConfiguration
            case (_, 0x14): .addressMapping
            case (_, 0x15): .msiMapping
            case (_, 0x16): .directRoute
            case (_, 0x17): .vcSet
            case (_, 0x18): .retryMode
            case (_, 0x19): .x86
            case (_, let number): .other(number)
            }
        isEnabled = kind == .msiMapping ? command.bit(0) : nil
        isFixed = kind == .msiMapping ? command.bit(1) : nil
    }
}

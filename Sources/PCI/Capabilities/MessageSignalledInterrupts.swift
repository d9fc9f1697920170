/// Message Signalled Interrupts (PCI 3.0, 6.8.1; `PCI_MSI_…` in linux/pci_regs.h).
public struct MSI: Hashable, Sendable {
    /// Switched on (`PCI_MSI_FLAGS_ENABLE`).
    public let isEnabled: Bool
    /// The vectors it was given (`PCI_MSI_FLAGS_QSIZE`).
    public let count: Int
    /// The vectors it can use (`PCI_MSI_FLAGS_QMASK`).
    public let largestCount: Int
    /// Whether each can be masked alone (`PCI_MSI_FLAGS_MASKBIT`).
    public let isMaskable: Bool
    /// Whether messages can go to addresses above 4 GiB (`PCI_MSI_FLAGS_64BIT`).
    public let is64Bit: Bool
    /// Where the messages go.
    public let address: UInt64
    /// What they say.
    public let data: UInt16
    /// The vectors that are masked; nil when none can be, or when it was not read.
    public let mask: UInt32?
    /// The vectors that wait behind their mask.
    public let pending: UInt32?

    init?(_ registers: Registers) {
        let flags = registers.word(0x02)
        is64Bit = flags.bit(7)
        guard registers.reaches(is64Bit ? 0x0e : 0x0a) else { return nil }
        isEnabled = flags.bit(0)
        largestCount = 1 << flags.bits(1...3)
        count = 1 << flags.bits(4...6)
        isMaskable = flags.bit(8)
        address = is64Bit ? registers.quad(0x04) : UInt64(registers.long(0x04))
        data = registers.word(is64Bit ? 0x0c : 0x08)
        let maskOffset = is64Bit ? 0x10 : 0x0c
        let hasMask = isMaskable && registers.reaches(maskOffset + 8)
        mask = hasMask ? registers.long(maskOffset) : nil
        pending = hasMask ? registers.long(maskOffset + 4) : nil
    }
}

/// MSI-X: interrupts whose messages are in a table in one of the regions (PCI 3.0, 6.8.2; `PCI_MSIX_…`).
public struct MSIX: Hashable, Sendable {
    /// A place in one of the device's regions.
    public struct Location: Hashable, Sendable {
        /// The number of the base address register.
        public let bar: Int
        /// The offset from its start, in bytes.
        public let offset: UInt32

        init(_ register: UInt32) {
            bar = register.bits(0...2)
            offset = register & ~7
        }
    }

    /// Switched on (`PCI_MSIX_FLAGS_ENABLE`).
    public let isEnabled: Bool
    /// All vectors masked at once (`PCI_MSIX_FLAGS_MASKALL`).
    public let isMasked: Bool
    /// The number of vectors in the table (`PCI_MSIX_FLAGS_QSIZE`).
    public let count: Int
    /// Where the table is, 16 bytes a vector (`PCI_MSIX_TABLE`).
    public let table: Location
    /// Where the pending bits are (`PCI_MSIX_PBA`).
    public let pendingBits: Location

    init?(_ registers: Registers) {
        guard registers.reaches(0x0c) else { return nil }
        let flags = registers.word(0x02)
        isEnabled = flags.bit(15)
        isMasked = flags.bit(14)
        count = flags.bits(0...10) + 1
        table = Location(registers.long(0x04))
        pendingBits = Location(registers.long(0x08))
    }
}

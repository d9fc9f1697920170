/// Regions that can be given another size (PCI Express 7.8.6; `PCI_REBAR_…` in linux/pci_regs.h), of this function, or of
/// its virtual ones (7.8.7).
public struct ResizableBARs: Hashable, Sendable {
    /// One such region.
    public struct Region: Hashable, Sendable {
        /// The number of its base address register (`PCI_REBAR_CTRL_BAR_IDX`).
        public let bar: Int
        /// Its size in bytes; nil for a code that no specification has (`PCI_REBAR_CTRL_BAR_SIZE`).
        public let size: UInt64?
        /// The sizes it can have, in bytes, ascending (`PCI_REBAR_CAP_SIZES`, and those of 256 TiB and more, which have
        /// their bits in the control register).
        public let supportedSizes: [UInt64]
    }

    /// The regions that can be resized.
    public let regions: [Region]

    init?(_ registers: Registers) {
        guard registers.reaches(0x0c) else { return nil }
        // The first control register has the number of regions.
        let count = registers.long(0x08).bits(5...7)
        guard registers.reaches(0x04 + 8 * count) else { return nil }
        regions = (1...6).contains(count) ? (0..<count).map { Region(registers, at: 0x04 + 8 * $0) } : []
    }
}

extension ResizableBARs.Region {
    fileprivate init(_ registers: Registers, at offset: Int) {
        let capabilities = registers.long(offset)
        let control = registers.long(offset + 4)
        bar = control.bits(0...2)
        size = Self.bytes(control.bits(8...13))
        supportedSizes =
            (0..<28).filter { capabilities.bit($0 + 4) }.compactMap(Self.bytes)
            + (0..<16).filter { control.bit($0 + 16) }.compactMap { Self.bytes($0 + 28) }
    }

    /// 0 stands for 1 MiB, and each further number for twice the size.
    private static func bytes(_ code: Int) -> UInt64? { code < 44 ? 1 << UInt64(code + 20) : nil }
}

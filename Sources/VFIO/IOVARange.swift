/// Addresses as a device uses them: from `start` to `last`, both included, so that the last byte of the address space
/// can be in one.
public struct IOVARange: Hashable, Sendable {
    /// The first address.
    public let start: UInt64
    /// The last address.
    public let last: UInt64

    /// Makes a range; nil when `last` is before `start`.
    public init?(start: UInt64, last: UInt64) {
        guard start <= last else { return nil }
        self.start = start
        self.last = last
    }

    /// Makes a range of `count` bytes; nil when there are none, or when they would go beyond 64 bits.
    public init?(start: UInt64, count: Int) {
        guard count > 0 else { return nil }
        let (last, overflow) = start.addingReportingOverflow(UInt64(count) - 1)
        guard !overflow else { return nil }
        self.init(start: start, last: last)
    }

    /// The number of bytes, or nil for all 2^64 of them.
    public var count: UInt64? {
        let (count, overflow) = (last - start).addingReportingOverflow(1)
        return overflow ? nil : count
    }

    /// Whether all of `other` lies inside.
    public func contains(_ other: IOVARange) -> Bool { start <= other.start && other.last <= last }
}

extension IOVARange: CustomStringConvertible {
    /// `0x1000-0x1fff`.
    public var description: String { "0x" + String(start, radix: 16) + "-0x" + String(last, radix: 16) }
}

/// What an address space takes.
public struct IOVACapabilities: Hashable, Sendable {
    /// The addresses that may be mapped, in order. Between them lie what the hardware reserves, such as the range of
    /// message- signalled interrupts. They narrow with each device that is attached.
    public var ranges: [IOVARange]
    /// Of what every address and length must be a multiple, in bytes.
    public var alignment: UInt64
    /// How many mappings more the container takes (`VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL`); nil where nothing limits them
    /// but memory.
    public var availableMappings: UInt32?

    /// Makes capabilities of their parts.
    public init(ranges: [IOVARange], alignment: UInt64, availableMappings: UInt32? = nil) {
        self.ranges = ranges
        self.alignment = alignment
        self.availableMappings = availableMappings
    }

    /// Whether a mapping there would be taken.
    func admits(_ range: IOVARange) -> Bool {
        // Ranges are few: a handful on any machine.
        ranges.contains { $0.contains(range) }
    }
}

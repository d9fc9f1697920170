/// Latency Tolerance Reporting: the longest the device may be told to wait (PCI Express 7.8.2; `PCI_LTR_…`).
public struct LatencyToleranceReporting: Hashable, Sendable {
    /// For requests that snoop caches, in nanoseconds (`PCI_LTR_MAX_SNOOP_LAT`).
    public let largestSnoopLatency: UInt64
    /// For those that do not, in nanoseconds (`PCI_LTR_MAX_NOSNOOP_LAT`).
    public let largestNoSnoopLatency: UInt64

    init?(_ registers: Registers) {
        guard registers.reaches(0x08) else { return nil }
        largestSnoopLatency = Self.nanoseconds(registers.word(0x04))
        largestNoSnoopLatency = Self.nanoseconds(registers.word(0x06))
    }

    /// Ten bits of value, three of scale: each step is 32 times the one before.
    private static func nanoseconds(_ register: UInt16) -> UInt64 {
        UInt64(register.bits(0...9)) << UInt64(5 * register.bits(10...12))
    }
}

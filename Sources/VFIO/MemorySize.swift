/// An amount of memory as people write it: `4G`, `512M`, `65536K`, `1T`, or bytes without a letter. Units are powers of
/// 1024; `GiB` and `GB` mean the same.
public struct MemorySize: Hashable, Sendable, LosslessStringConvertible {
    /// The amount.
    public let bytes: UInt64

    /// An amount of bytes.
    public init(bytes: UInt64) { self.bytes = bytes }

    /// Reads an amount; nil for anything else, and for more than 64 bits hold.
    public init?(_ description: String) {
        let digits = description.utf8.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard let number = UInt64(Substring(digits)) else { return nil }
        let shift: UInt64
        switch description.dropFirst(digits.count).lowercased() {
        case "", "b": shift = 0
        case "k", "kb", "kib": shift = 10
        case "m", "mb", "mib": shift = 20
        case "g", "gb", "gib": shift = 30
        case "t", "tb", "tib": shift = 40
        default: return nil
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    /// In the largest unit that divides it: `4G`.
    public var description: String {
        for (shift, letter) in [(40, "T"), (30, "G"), (20, "M"), (10, "K")] as [(UInt64, String)]
        where bytes > 0 && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(letter)"
        }
        return "\(bytes)"
    }
}

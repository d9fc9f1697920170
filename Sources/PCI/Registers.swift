/// A stretch of configuration space, read by offsets from its start, little-endian as the bus is.
///
/// Whoever decodes asks `reaches` first. What lies beyond the bytes reads as all ones, as a function that is not there
/// answers: no offset traps.
struct Registers {
    private let bytes: [UInt8]
    private let start: Int
    private let end: Int

    /// The registers from `start` on, up to `end` or the end of the bytes, whichever is first.
    init(_ bytes: [UInt8], from start: Int, to end: Int) {
        self.bytes = bytes
        self.start = max(start, 0)
        self.end = min(end, bytes.count)
    }

    /// How many bytes there are.
    var count: Int { max(end - start, 0) }

    /// Whether all registers below `offset` were read.
    func reaches(_ offset: Int) -> Bool { offset <= count }

    func byte(_ offset: Int) -> UInt8 {
        offset >= 0 && offset < count ? bytes[start + offset] : 0xff
    }

    func word(_ offset: Int) -> UInt16 { UInt16(byte(offset)) | UInt16(byte(offset + 1)) << 8 }

    func long(_ offset: Int) -> UInt32 { UInt32(word(offset)) | UInt32(word(offset + 2)) << 16 }

    func quad(_ offset: Int) -> UInt64 { UInt64(long(offset)) | UInt64(long(offset + 4)) << 32 }
}

extension FixedWidthInteger {
    /// One bit, as the specification numbers them: 0 is the lowest.
    func bit(_ number: Int) -> Bool { self >> number & 1 != 0 }

    /// A field of bits, lowest first: `value.bits(18...25)`.
    func bits(_ range: ClosedRange<Int>) -> Int {
        Int(truncatingIfNeeded: self >> range.lowerBound & ((1 << range.count) &- 1))
    }
}

// Numbers in the machine's own byte order, at any alignment: netlink's headers and most of its attributes.

extension ArraySlice<UInt8> {
    /// The number at `offset` from the start, in the machine's byte order; nil when it does not fit.
    func native<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int = 0) -> Number? {
        let size = Number.bitWidth / 8
        guard offset >= 0, offset <= count - size else { return nil }
        var value: Number = 0
        // From the last byte to the first: little-endian, as what is composed is taken to be below.
        var index = startIndex + offset + size
        while index > startIndex + offset {
            index -= 1
            value = value << 8 | Number(truncatingIfNeeded: self[index])
        }
        return Number(littleEndian: value)
    }

    /// The slice without its first `count` bytes, rounded up to the four bytes that netlink aligns to; empty at the end.
    func dropping(aligned count: Int) -> ArraySlice<UInt8> { dropFirst((count + 3) & ~3) }
}

extension [UInt8] {
    /// Appends a number in the machine's byte order.
    mutating func append(native number: some FixedWidthInteger) {
        var rest = number.littleEndian
        for _ in 0..<(rest.bitWidth / 8) {
            append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    /// Replaces the number at `offset`, which has to be within.
    mutating func replace(at offset: Int, native number: some FixedWidthInteger) {
        var rest = number.littleEndian
        for index in offset..<(offset + rest.bitWidth / 8) {
            self[index] = UInt8(truncatingIfNeeded: rest)
            rest >>= 8
        }
    }
}

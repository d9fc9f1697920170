/// A few ASCII characters that are put together without memory of their own: addresses and ids are spelt thousands of
/// times when a host is listed.
struct ShortText {
    /// The most bytes that it holds.
    static let capacity = 24

    private var bytes = InlineArray<24, UInt8>(repeating: 0)
    private var count = 0

    /// Adds one ASCII character.
    mutating func append(_ byte: UInt8) {
        bytes[count] = byte
        count += 1
    }

    /// Adds `value` in lower-case hexadecimal, padded with zeros to `width` digits, never cut.
    mutating func append(hexadecimal value: UInt64, width: Int) {
        let needed = (UInt64.bitWidth - value.leadingZeroBitCount + 3) / 4
        var shift = max(needed, width, 1) * 4
        while shift > 0 {
            shift -= 4
            let digit = shift < UInt64.bitWidth ? UInt8(value >> UInt64(shift) & 0xf) : 0
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    /// Adds it to a longer text.
    func append(to text: inout [UInt8]) {
        text.append(addingCapacity: count) { room in
            for index in 0..<count { room.append(bytes[index]) }
        }
    }

    /// The text.
    var description: String {
        do { return String(copying: try UTF8Span(validating: bytes.span.extracting(0..<count))) } catch { return "" }
    }
}

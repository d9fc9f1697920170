/// The value of one hexadecimal digit, either case; nil for any other byte.
@inlinable
public func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte &- UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte &- UInt8(ascii: "a") &+ 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte &- UInt8(ascii: "A") &+ 10
    default: nil
    }
}

/// `value` in lower-case hexadecimal, padded with zeros to `width` digits, never cut.
public func hexadecimal(_ value: some FixedWidthInteger, width: Int) -> String {
    guard let magnitude = UInt64(exactly: value) else {
        let text = String(value, radix: 16)
        return text.utf8.count >= width ? text : String(repeating: "0", count: width - text.utf8.count) + text
    }
    var text: [UInt8] = []
    text.append(addingCapacity: max(width, 16)) { room in room.append(hexadecimal: magnitude, width: width) }
    return String(decoding: text, as: UTF8.self)
}

extension OutputSpan<UInt8> {
    /// Appends `value` in lower-case hexadecimal, padded with zeros to `width` digits, never cut.
    @inline(__always)
    mutating func append(hexadecimal value: UInt64, width: Int) {
        var digits = max(width, (UInt64.bitWidth - value.leadingZeroBitCount + 3) / 4, 1)
        while digits > 0 {
            digits -= 1
            let digit = digits < 16 ? UInt8(value >> UInt64(digits * 4) & 0xf) : 0
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}

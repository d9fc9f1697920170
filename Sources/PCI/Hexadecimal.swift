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
    guard value >= 0, let magnitude = UInt64(exactly: value), width <= ShortText.capacity else {
        let text = String(value, radix: 16)
        return text.utf8.count >= width ? text : String(repeating: "0", count: width - text.utf8.count) + text
    }
    var text = ShortText()
    text.append(hexadecimal: magnitude, width: width)
    return text.description
}

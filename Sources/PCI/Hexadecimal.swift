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
    guard let magnitude = UInt64(exactly: value), width <= 16 else {
        let text = String(value, radix: 16)
        return text.utf8.count >= width ? text : String(repeating: "0", count: width - text.utf8.count) + text
    }
    return shortHexadecimal(magnitude, width: width)
}

/// Of at most 16 digits: written without memory of its own, since ids are spelt thousands of times when a host is listed.
private func shortHexadecimal(_ value: UInt64, width: Int) -> String {
    var text = InlineArray<16, UInt8>(repeating: UInt8(ascii: "0"))
    var start = 16
    var rest = value
    repeat {
        start -= 1
        text[start] = hexadecimalCharacter(UInt8(rest & 0xf))
        rest >>= 4
    } while rest > 0
    let digits = text.span.extracting(min(start, 16 - width)...)
    // ASCII is UTF-8, so this never throws.
    do { return String(copying: try UTF8Span(validating: digits)) } catch { return "" }
}

/// The character of one hexadecimal digit, lower case.
func hexadecimalCharacter(_ digit: UInt8) -> UInt8 {
    digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
}

// The text of sysfs attributes, read over bytes: enumeration parses some ten of them for every device.

internal import PCI

/// The hexadecimal number in an attribute such as "0x8086\n", which has exactly `digits` digits; nil for anything else.
func hexadecimalAttribute(_ bytes: some Collection<UInt8>, digits: Int) -> UInt32? {
    let text = withoutSpace(bytes)
    guard text.count == digits + 2, text.starts(with: "0x".utf8) else { return nil }
    return hexadecimalNumber(text.dropFirst(2))
}

/// The number in one to eight hexadecimal digits; nil for anything else.
func hexadecimalNumber(_ digits: some Collection<UInt8>) -> UInt32? {
    guard (1...8).contains(digits.count) else { return nil }
    var value: UInt32 = 0
    for byte in digits {
        guard let digit = hexadecimalDigit(byte) else { return nil }
        value = value << 4 | UInt32(digit)
    }
    return value
}

/// The decimal number in an attribute such as "-1\n"; nil for anything else.
func decimalAttribute(_ bytes: some Collection<UInt8>) -> Int? { decimalAttribute(Array(bytes).span) }

/// The same of bytes that lie side by side.
func decimalAttribute(_ bytes: Span<UInt8>) -> Int? {
    var end = bytes.count
    while end > 0, bytes[end - 1] <= 0x20 { end -= 1 }
    let isNegative = end > 0 && bytes[0] == UInt8(ascii: "-")
    let digits = (isNegative ? 1 : 0)..<end
    guard (1...18).contains(digits.count) else { return nil }
    var value = 0
    for index in digits {
        guard bytes[index] >= UInt8(ascii: "0"), bytes[index] <= UInt8(ascii: "9") else { return nil }
        value = value * 10 + Int(bytes[index] - UInt8(ascii: "0"))
    }
    return isNegative ? -value : value
}

/// Whether a text begins with these ASCII letters.
func begins(_ text: Span<UInt8>, with letters: String) -> Bool {
    let letters = letters.utf8.span
    guard text.count >= letters.count else { return false }
    for index in letters.indices where text[index] != letters[index] { return false }
    return true
}

/// `bytes` without the white space at their end, of which sysfs gives a newline.
private func withoutSpace<Bytes: Collection<UInt8>>(_ bytes: Bytes) -> Bytes.SubSequence {
    guard let last = bytes.indices.reversed().first(where: { bytes[$0] > 0x20 }) else { return bytes.prefix(0) }
    return bytes[...last]
}

/// An attribute's content for a message: in quotes, cut after 40 bytes, with nothing in it that a terminal would obey.
func quoted(_ bytes: some Collection<UInt8>) -> String {
    let text = withoutSpace(bytes)
    guard !text.isEmpty else { return "empty" }
    var shown = "'"
    for byte in text.prefix(40) {
        if byte >= 0x20 && byte < 0x7f {
            shown.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            shown += "\\x" + hexadecimal(byte, width: 2)
        }
    }
    return shown + (text.count > 40 ? "…'" : "'")
}

/// What a PCI device's `uevent` says: the lines that `pci_uevent` in drivers/pci/pci-driver.c writes.
struct DeviceEvent {
    var driver: String?
    var classID: UInt32?
    var ids: (vendor: UInt16, device: UInt16)?
    var subsystemIDs: (vendor: UInt16, device: UInt16)?

    /// Of a device without one: it says nothing.
    init() {}

    /// Reads the lines that are whole: a last one without its newline was cut, and is left out.
    init(_ bytes: Span<UInt8>) {
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "="), bytes[end] != UInt8(ascii: "\n") { end += 1 }
            let keyLength = end - start
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
            guard end < bytes.count else { return }
            if start + keyLength < end { take(bytes.extracting(start..<end), keyLength: keyLength) }
            // What the kernel writes after these, the slot and a long modalias, says nothing new.
            if driver != nil, classID != nil, ids != nil, subsystemIDs != nil { return }
            start = end + 1
        }
    }

    private mutating func take(_ line: Span<UInt8>, keyLength: Int) {
        let value = line.extracting((keyLength + 1)...)
        // No two of the keys are as long as each other and begin with the same letter.
        switch (line[0], keyLength) {
        case (UInt8(ascii: "D"), 6) where begins(line, with: "DRIVER"): driver = Self.text(value)
        case (UInt8(ascii: "P"), 9) where begins(line, with: "PCI_CLASS"): classID = Self.number(value)
        case (UInt8(ascii: "P"), 6) where begins(line, with: "PCI_ID"): ids = Self.pair(value)
        case (UInt8(ascii: "P"), 13) where begins(line, with: "PCI_SUBSYS_ID"): subsystemIDs = Self.pair(value)
        default: break
        }
    }

    private static func text(_ value: Span<UInt8>) -> String {
        // A driver's name is ASCII; what is not comes from a file that no kernel wrote.
        do { return String(copying: try UTF8Span(validating: value)) } catch { return "\u{fffd}" }
    }

    /// The number in one to eight hexadecimal digits; nil for anything else.
    private static func number(_ digits: Span<UInt8>) -> UInt32? {
        guard (1...8).contains(digits.count) else { return nil }
        var value: UInt32 = 0
        for index in digits.indices {
            guard let digit = hexadecimalDigit(digits[index]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// `8086:10C9`.
    private static func pair(_ text: Span<UInt8>) -> (vendor: UInt16, device: UInt16)? {
        guard text.count == 9, text[4] == UInt8(ascii: ":"), let first = number(text.extracting(..<4)),
            let second = number(text.extracting(5...))
        else { return nil }
        return (UInt16(first), UInt16(second))
    }
}

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
func decimalAttribute(_ bytes: some Collection<UInt8>) -> Int? {
    let text = withoutSpace(bytes)
    let isNegative = text.first == UInt8(ascii: "-")
    let digits = isNegative ? text.dropFirst() : text[...]
    guard (1...18).contains(digits.count) else { return nil }
    var value = 0
    for byte in digits {
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        value = value * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return isNegative ? -value : value
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

    /// Reads the lines that are whole: a last one without its newline was cut, and is left out.
    init(_ bytes: [UInt8]) {
        var start = 0
        for end in bytes.indices where bytes[end] == UInt8(ascii: "\n") {
            take(bytes[start..<end])
            start = end + 1
        }
    }

    private static let driverKey = Array("DRIVER=".utf8)
    private static let classKey = Array("PCI_CLASS=".utf8)
    private static let idKey = Array("PCI_ID=".utf8)
    private static let subsystemKey = Array("PCI_SUBSYS_ID=".utf8)

    private mutating func take(_ line: ArraySlice<UInt8>) {
        if let value = Self.value(of: Self.driverKey, in: line) {
            driver = String(decoding: value, as: UTF8.self)
        } else if let value = Self.value(of: Self.classKey, in: line) {
            classID = hexadecimalNumber(value)
        } else if let value = Self.value(of: Self.idKey, in: line) {
            ids = Self.pair(value)
        } else if let value = Self.value(of: Self.subsystemKey, in: line) {
            subsystemIDs = Self.pair(value)
        }
    }

    private static func value(of key: [UInt8], in line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard line.count >= key.count else { return nil }
        for index in key.indices where line[line.startIndex + index] != key[index] { return nil }
        return line.dropFirst(key.count)
    }

    /// `8086:10C9`.
    private static func pair(_ text: ArraySlice<UInt8>) -> (vendor: UInt16, device: UInt16)? {
        guard text.count == 9, text[text.startIndex + 4] == UInt8(ascii: ":"),
            let first = hexadecimalNumber(text.prefix(4)), let second = hexadecimalNumber(text.suffix(4))
        else { return nil }
        return (UInt16(first), UInt16(second))
    }
}

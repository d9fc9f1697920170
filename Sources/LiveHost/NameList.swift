internal import LinuxIO
internal import PCI

/// The names in a pci.ids file: vendors and their devices, classes and their subclasses (pci.ids(5)).
///
/// One pass finds the vendors and classes; what is below one is read when it is asked for. A host has few kinds of devices, and
/// libpci, which makes a table of all 35,000 entries first, takes six times as long for them.
package struct NameList: Sendable {
    private struct Entry {
        var id: UInt32
        /// Where its name begins.
        var name: Int
    }

    private let bytes: [UInt8]
    private var vendors: [Entry] = []
    private var classes: [Entry] = []

    /// Reads the content of a pci.ids file. What is no entry is passed over.
    package init(_ content: [UInt8]) {
        bytes = content
        let text = content.span
        var line = 0
        while line < text.count {
            switch text[line] {
            case UInt8(ascii: "\t"), UInt8(ascii: "#"), UInt8(ascii: "\n"):
                break
            case UInt8(ascii: "C"):
                if let entry = Self.entry(text, at: line + 2, digits: 2), text[line + 1] == UInt8(ascii: " ") {
                    classes.append(entry)
                }
            default:
                if let entry = Self.entry(text, at: line, digits: 4) { vendors.append(entry) }
            }
            line = Self.nextLine(text, after: line)
        }
    }

    /// The vendor's name.
    package func vendor(_ vendorID: UInt16) -> String? {
        vendors.first { $0.id == UInt32(vendorID) }.map { name(at: $0.name) }
    }

    /// The device's name.
    package func device(_ vendorID: UInt16, _ deviceID: UInt16) -> String? {
        vendors.first { $0.id == UInt32(vendorID) }
            .flatMap { child(UInt32(deviceID), digits: 4, of: $0) }
    }

    /// The subclass's name, or that of the class when the subclass has none; `classAndSubclass` is 0x0200 for Ethernet.
    package func classification(_ classAndSubclass: UInt16) -> String? {
        classes.first { $0.id == UInt32(classAndSubclass >> 8) }
            .flatMap { child(UInt32(classAndSubclass & 0xff), digits: 2, of: $0) ?? name(at: $0.name) }
    }

    /// Looks through the lines below an entry, which begin with one tab; what is below them begins with two.
    private func child(_ id: UInt32, digits: Int, of parent: Entry) -> String? {
        let text = bytes.span
        var line = Self.nextLine(text, after: parent.name)
        while line < text.count, text[line] == UInt8(ascii: "\t") || text[line] == UInt8(ascii: "#") {
            if let entry = Self.entry(text, at: line + 1, digits: digits), entry.id == id,
                text[line] == UInt8(ascii: "\t")
            {
                return name(at: entry.name)
            }
            line = Self.nextLine(text, after: line)
        }
        return nil
    }

    /// An id of so many digits, two spaces, and the beginning of a name.
    private static func entry(_ text: Span<UInt8>, at start: Int, digits: Int) -> Entry? {
        guard start + digits + 2 < text.count else { return nil }
        var id: UInt32 = 0
        for index in start..<start + digits {
            guard let digit = hexadecimalDigit(text[index]) else { return nil }
            id = id << 4 | UInt32(digit)
        }
        guard text[start + digits] == UInt8(ascii: " "), text[start + digits + 1] == UInt8(ascii: " ") else {
            return nil
        }
        return Entry(id: id, name: start + digits + 2)
    }

    private static func nextLine(_ text: Span<UInt8>, after start: Int) -> Int {
        (text.firstIndex(of: UInt8(ascii: "\n"), from: start) ?? text.count) + 1
    }

    private func name(at start: Int) -> String {
        String(decoding: bytes[start..<Self.nextLine(bytes.span, after: start) - 1], as: UTF8.self)
    }
}

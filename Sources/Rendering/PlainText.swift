public import PCI

/// A short text of words, numbers and addresses, put together in place: for what a table says of each of thousands of
/// devices. All of it is printable ASCII.
public struct PlainText: Sendable, ExpressibleByStringLiteral {
    var bytes: [UInt8] = []

    /// An empty text.
    public init() {}

    /// A text of letters; anything but printable ASCII becomes "?".
    public init(stringLiteral text: String) { append(text) }

    /// Makes it empty, and keeps its storage for the next one.
    public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Adds letters; anything but printable ASCII becomes "?".
    public mutating func append(_ text: String) {
        let letters = text.utf8.span
        bytes.append(addingCapacity: letters.count) { room in
            for index in letters.indices {
                let byte = letters[index]
                room.append(byte >= 0x20 && byte < 0x7f ? byte : UInt8(ascii: "?"))
            }
        }
    }

    /// Adds a number.
    public mutating func append(_ number: Int) { bytes.append(decimal: number) }

    /// Adds an address.
    public mutating func append(_ address: PCIAddress) { address.append(to: &bytes) }
}

extension [UInt8] {
    /// Appends a number in decimal.
    mutating func append(decimal number: Int) {
        guard number >= 0 else { return append(contentsOf: String(number).utf8) }
        var place = 1
        while number / place >= 10 { place *= 10 }
        while place > 0 {
            append(UInt8(ascii: "0") + UInt8(number / place % 10))
            place /= 10
        }
    }
}

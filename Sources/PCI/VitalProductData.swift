/// Vital Product Data: what the maker stored about the card (PCI 3.0, appendix I), from the bytes of sysfs `vpd` or of any
/// others. What follows the first thing that makes no sense is left out.
public struct VitalProductData: Hashable, Sendable {
    /// The product's name.
    public let productName: String?
    /// The read-only fields, by their keywords of two letters: `PN` the part, `SN` the serial number. The first counts
    /// where one comes twice.
    public let fields: [String: String]

    /// The card's serial number (`SN`); nil for none, or an empty one.
    public var serialNumber: String? { fields["SN"].flatMap { $0.isEmpty ? nil : $0 } }

    /// The part's number (`PN`).
    public var partNumber: String? { fields["PN"].flatMap { $0.isEmpty ? nil : $0 } }

    /// Decodes the resources up to the end tag, the end of the bytes, or the first that is no VPD.
    public init(bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes.prefix(Self.largestSize))
        var name: String?
        var fields: [String: String] = [:]
        var position = 0
        // A large resource has a tag and two bytes of length; a small one has its length in the tag, and only the end
        // tag is of that kind.
        while position + 3 <= bytes.count, bytes[position] & 0x80 != 0 {
            let start = position + 3
            let length = Int(bytes[position + 1]) | Int(bytes[position + 2]) << 8
            let content = bytes[start..<min(start + length, bytes.count)]
            switch bytes[position] {
            case 0x82: name = name ?? Self.text(content)
            case 0x90: Self.read(content, into: &fields)
            case 0x91: break
            default: position = bytes.count
            }
            position = max(position, start + length)
        }
        productName = name
        self.fields = fields
    }

    /// VPD addresses have 15 bits.
    public static let largestSize = 1 << 15

    /// Reads keyword, length, value. The checksum, and the fields past a cut, are left out.
    private static func read(_ content: ArraySlice<UInt8>, into fields: inout [String: String]) {
        var rest = content
        while rest.count >= 3 {
            let keyword = rest.prefix(2)
            let length = Int(rest[rest.startIndex + 2])
            rest = rest.dropFirst(3)
            guard length <= rest.count, keyword.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else { return }
            let name = String(decoding: keyword, as: UTF8.self)
            if name != "RV", fields[name] == nil { fields[name] = text(rest.prefix(length)) }
            rest = rest.dropFirst(length)
        }
    }

    /// The text of a field: up to the first NUL, without white space around it, `?` for what is not ASCII.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        let isSpace = { (byte: UInt8) in byte <= 0x20 }
        let content = bytes.prefix { $0 != 0 }.drop(while: isSpace)
        let end = content.lastIndex { !isSpace($0) }.map { content.index(after: $0) } ?? content.startIndex
        return String(decoding: content[..<end].map { $0 >= 0x20 && $0 < 0x7f ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}

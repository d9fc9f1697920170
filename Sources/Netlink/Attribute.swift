/// One attribute of a message: `struct nlattr` (<linux/netlink.h>) and its value.
public struct Attribute: Hashable, Sendable {
    /// What it is, in the numbering of the message or the attribute that it is in; without the two flag bits above.
    public var type: UInt16
    /// Its value. Its indices are those of the bytes that the message was read from.
    public var value: ArraySlice<UInt8>

    /// The size of `struct nlattr`.
    public static let headerSize = 4

    /// The value as a text that a NUL, or its end, ends. Bytes that are no UTF-8 become U+FFFD.
    public var text: String { String(decoding: value.prefix { $0 != 0 }, as: UTF8.self) }

    /// The attributes that are its value.
    public var nested: AttributeReader { AttributeReader(value) }

    /// The value as a number of exactly this type's size, in the machine's byte order.
    public func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws(NetlinkError) -> Number {
        guard value.count == Number.bitWidth / 8, let number = value.native(type) else { throw wrongSize }
        return number
    }

    /// The value as an IP address of 4 or 16 bytes.
    public func address() throws(NetlinkError) -> IPAddress {
        guard let address = IPAddress(bytes: value) else { throw wrongSize }
        return address
    }

    private var wrongSize: NetlinkError {
        NetlinkError(
            .attributeValue(type: type, length: value.count), at: value.startIndex - Self.headerSize)
    }
}

/// Reads one attribute after the other.
public struct AttributeReader: Sendable {
    private var rest: ArraySlice<UInt8>

    /// Begins at the start of `bytes`: a message's body after its fixed part, or an attribute's value.
    public init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// NLA_TYPE_MASK: without NLA_F_NESTED and NLA_F_NET_BYTEORDER.
    private static let typeMask: UInt16 = 0x3fff

    /// The next attribute; nil at the end of the bytes.
    ///
    /// - Throws: `.attributeLength` for a header that is cut or that cannot be true. The reader then stands at its end.
    public mutating func next() throws(NetlinkError) -> Attribute? {
        guard !rest.isEmpty else { return nil }
        let start = rest
        rest = rest.suffix(0)
        guard let length = start.native(UInt16.self), let type = start.native(UInt16.self, at: 2),
            length >= Attribute.headerSize, length <= start.count
        else {
            let length = start.native(UInt16.self) ?? UInt16(start.count)
            throw NetlinkError(.attributeLength(length), at: start.startIndex)
        }
        rest = start.dropping(aligned: Int(length))
        return Attribute(
            type: type & Self.typeMask, value: start.prefix(Int(length)).dropFirst(Attribute.headerSize))
    }
}

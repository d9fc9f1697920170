/// Writes an `Encodable` value as JSON: keys in the order of their bytes, so that the same answer is the same bytes; no white
/// space; "/" as it is.
///
/// Foundation's encoder makes a tree of the whole value first: for a large host's devices that is most of the time and
/// the memory of a listing. This one appends to one array of bytes as the value tells what it is made of.
public enum JSONWriter {
    /// The value as JSON text in UTF-8.
    ///
    /// - Throws: what the value's own `encode(to:)` throws; `EncodingError` for a number that JSON has not (infinity).
    public static func bytes(of value: some Encodable) throws -> [UInt8] {
        let text = JSONText()
        try ValueEncoder(text: text).write(value)
        return text.bytes
    }
}

/// Encodes one value: where `text` ends now.
private struct ValueEncoder: Encoder {
    let text: JSONText
    /// How many containers are open around the value.
    private let depth: Int

    init(text: JSONText) {
        self.text = text
        depth = text.depth
    }

    /// Not kept: what cannot be encoded is named by its value.
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func write(_ value: some Encodable) throws {
        let start = text.bytes.count
        try value.encode(to: self)
        text.close(to: depth)
        // A value that has nothing to say.
        if text.bytes.count == start { text.append("{}") }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        // Who asks again goes on with the same object: a value made of two that each write their members.
        text.close(to: depth + 1)
        let isOpen = text.depth > depth
        return KeyedEncodingContainer(ObjectContainer(text: text, depth: isOpen ? depth + 1 : text.open(.object)))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        ArrayContainer(text: text, depth: text.open(.array))
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { ValueContainer(text: text) }
}

private struct ValueContainer: SingleValueEncodingContainer {
    let text: JSONText

    var codingPath: [any CodingKey] { [] }

    func encodeNil() { text.append("null") }
    func encode(_ value: Bool) { text.append(value ? "true" : "false") }
    func encode(_ value: String) { text.append(quoted: value) }
    func encode(_ value: Double) throws { try text.append(number: value) }
    func encode(_ value: Float) throws { try text.append(number: Double(value)) }
    func encode(_ value: Int) { text.bytes.append(decimal: value) }
    func encode(_ value: Int8) { text.bytes.append(decimal: Int(value)) }
    func encode(_ value: Int16) { text.bytes.append(decimal: Int(value)) }
    func encode(_ value: Int32) { text.bytes.append(decimal: Int(value)) }
    func encode(_ value: Int64) { text.bytes.append(decimal: Int(value)) }
    func encode(_ value: UInt) { text.append(number: UInt64(value)) }
    func encode(_ value: UInt8) { text.bytes.append(decimal: Int(value)) }
    func encode(_ value: UInt16) { text.bytes.append(decimal: Int(value)) }
    func encode(_ value: UInt32) { text.bytes.append(decimal: Int(value)) }
    func encode(_ value: UInt64) { text.append(number: value) }
    func encode(_ value: some Encodable) throws { try ValueEncoder(text: text).write(value) }
}

private struct ObjectContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let text: JSONText
    let depth: Int

    var codingPath: [any CodingKey] { [] }

    private func member(_ key: some CodingKey) -> ValueContainer {
        text.beginMember(key.stringValue, of: depth)
        return ValueContainer(text: text)
    }

    func encodeNil(forKey key: Key) { member(key).encodeNil() }
    func encode(_ value: Bool, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: String, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: Double, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Float, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Int, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: Int8, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: Int16, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: Int32, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: Int64, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: UInt, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: UInt8, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: UInt16, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: UInt32, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: UInt64, forKey key: Key) { member(key).encode(value) }
    func encode(_ value: some Encodable, forKey key: Key) throws { try member(key).encode(value) }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key)
        -> KeyedEncodingContainer<Nested>
    {
        text.beginMember(key.stringValue, of: depth)
        return ValueEncoder(text: text).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        text.beginMember(key.stringValue, of: depth)
        return ValueEncoder(text: text).unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        text.beginMember("super", of: depth)
        return ValueEncoder(text: text)
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        text.beginMember(key.stringValue, of: depth)
        return ValueEncoder(text: text)
    }
}

private struct ArrayContainer: UnkeyedEncodingContainer {
    let text: JSONText
    let depth: Int
    private(set) var count = 0

    init(text: JSONText, depth: Int) {
        self.text = text
        self.depth = depth
    }

    var codingPath: [any CodingKey] { [] }

    private mutating func element() -> ValueContainer {
        text.beginElement(of: depth, isFirst: count == 0)
        count += 1
        return ValueContainer(text: text)
    }

    mutating func encodeNil() { element().encodeNil() }
    mutating func encode(_ value: Bool) { element().encode(value) }
    mutating func encode(_ value: String) { element().encode(value) }
    mutating func encode(_ value: Double) throws { try element().encode(value) }
    mutating func encode(_ value: Float) throws { try element().encode(value) }
    mutating func encode(_ value: Int) { element().encode(value) }
    mutating func encode(_ value: Int8) { element().encode(value) }
    mutating func encode(_ value: Int16) { element().encode(value) }
    mutating func encode(_ value: Int32) { element().encode(value) }
    mutating func encode(_ value: Int64) { element().encode(value) }
    mutating func encode(_ value: UInt) { element().encode(value) }
    mutating func encode(_ value: UInt8) { element().encode(value) }
    mutating func encode(_ value: UInt16) { element().encode(value) }
    mutating func encode(_ value: UInt32) { element().encode(value) }
    mutating func encode(_ value: UInt64) { element().encode(value) }
    mutating func encode(_ value: some Encodable) throws { try element().encode(value) }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        _ = element()
        return ValueEncoder(text: text).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        _ = element()
        return ValueEncoder(text: text).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
        _ = element()
        return ValueEncoder(text: text)
    }
}

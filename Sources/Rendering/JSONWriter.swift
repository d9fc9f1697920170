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
        let output = Output()
        try ValueEncoder(output: output).write(value)
        return output.text.bytes
    }
}

/// Shared by every encoder and container of one value: all of them write to the same text.
private final class Output {
    var text = JSONText()
}

/// Encodes one value: where the text ends now.
private struct ValueEncoder: Encoder {
    let output: Output
    /// How many containers are open around the value.
    private let depth: Int

    init(output: Output) {
        self.output = output
        depth = output.text.depth
    }

    /// Not kept: what cannot be encoded is named by its value.
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func write(_ value: some Encodable) throws {
        let start = output.text.bytes.count
        try value.encode(to: self)
        output.text.close(to: depth)
        // A value that has nothing to say.
        if output.text.bytes.count == start { output.text.append("{}") }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        // Who asks again goes on with the same object: a value made of two that each write their members.
        output.text.close(to: depth + 1)
        let isOpen = output.text.depth > depth
        return KeyedEncodingContainer(
            ObjectContainer(output: output, depth: isOpen ? depth + 1 : output.text.open(.object)))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        ArrayContainer(output: output, depth: output.text.open(.array))
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { ValueContainer(output: output) }
}

private struct ValueContainer: SingleValueEncodingContainer {
    let output: Output

    var codingPath: [any CodingKey] { [] }

    func encodeNil() { output.text.append("null") }
    func encode(_ value: Bool) { output.text.append(value ? "true" : "false") }
    func encode(_ value: String) { output.text.append(quoted: value) }
    func encode(_ value: Double) throws { try output.text.append(number: value) }
    func encode(_ value: Float) throws { try output.text.append(number: Double(value)) }
    func encode(_ value: Int) { output.text.bytes.append(decimal: value) }
    func encode(_ value: Int8) { output.text.bytes.append(decimal: Int(value)) }
    func encode(_ value: Int16) { output.text.bytes.append(decimal: Int(value)) }
    func encode(_ value: Int32) { output.text.bytes.append(decimal: Int(value)) }
    func encode(_ value: Int64) { output.text.bytes.append(decimal: Int(value)) }
    func encode(_ value: UInt) { output.text.append(number: UInt64(value)) }
    func encode(_ value: UInt8) { output.text.bytes.append(decimal: Int(value)) }
    func encode(_ value: UInt16) { output.text.bytes.append(decimal: Int(value)) }
    func encode(_ value: UInt32) { output.text.bytes.append(decimal: Int(value)) }
    func encode(_ value: UInt64) { output.text.append(number: value) }
    func encode(_ value: some Encodable) throws { try ValueEncoder(output: output).write(value) }
}

private struct ObjectContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let output: Output
    let depth: Int

    var codingPath: [any CodingKey] { [] }

    private func member(_ key: some CodingKey) -> ValueContainer {
        output.text.beginMember(key.stringValue, of: depth)
        return ValueContainer(output: output)
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
        output.text.beginMember(key.stringValue, of: depth)
        return ValueEncoder(output: output).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        output.text.beginMember(key.stringValue, of: depth)
        return ValueEncoder(output: output).unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        output.text.beginMember("super", of: depth)
        return ValueEncoder(output: output)
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        output.text.beginMember(key.stringValue, of: depth)
        return ValueEncoder(output: output)
    }
}

private struct ArrayContainer: UnkeyedEncodingContainer {
    let output: Output
    let depth: Int
    private(set) var count = 0

    init(output: Output, depth: Int) {
        self.output = output
        self.depth = depth
    }

    var codingPath: [any CodingKey] { [] }

    private mutating func element() -> ValueContainer {
        output.text.beginElement(of: depth, isFirst: count == 0)
        count += 1
        return ValueContainer(output: output)
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
        return ValueEncoder(output: output).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        _ = element()
        return ValueEncoder(output: output).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
        _ = element()
        return ValueEncoder(output: output)
    }
}

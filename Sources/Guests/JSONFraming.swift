/// Cuts a stream of bytes into JSON objects.
///
/// QMP ends each message with a line break, but a monitor with `pretty=on` also puts line breaks inside them: the braces
/// are what counts. It does not judge what is between them; the parser does.
public struct JSONFraming: Sendable {
    /// Why a stream is not one of JSON objects.
    public enum Failure: Error, Hashable, Sendable {
        /// Something stands where an object should begin: its first bytes.
        case notAnObject([UInt8])
        /// An object is longer than the limit.
        case tooLong
    }

    /// The most bytes that one object may have.
    public let limit: Int

    private var bytes: [UInt8] = []
    private var scanned = 0
    private var depth = 0
    private var inString = false
    private var escaped = false

    /// Makes an empty one. QMP's longest answer, its own schema, has some 200 KiB.
    public init(limit: Int = 4 << 20) { self.limit = limit }

    /// Adds bytes at the end.
    public mutating func append(_ more: [UInt8]) { bytes += more }

    /// Whether an object has begun and not ended.
    public var isInsideObject: Bool { depth > 0 }

    /// Takes the next whole object out; nil when there is none yet.
    public mutating func next() throws(Failure) -> [UInt8]? {
        if depth == 0 {
            let start = bytes[scanned...].firstIndex { !Self.isSpace($0) } ?? bytes.endIndex
            bytes.removeFirst(start)
            scanned = 0
            guard let first = bytes.first else { return nil }
            guard first == UInt8(ascii: "{") else { throw .notAnObject(Array(bytes.prefix(64))) }
        }
        while scanned < bytes.count {
            if scanned >= limit { throw .tooLong }
            step(bytes[scanned])
            scanned += 1
            if depth == 0 {
                let object = Array(bytes[..<scanned])
                bytes.removeFirst(scanned)
                scanned = 0
                return object
            }
        }
        return nil
    }

    private mutating func step(_ byte: UInt8) {
        if inString {
            if escaped {
                escaped = false
            } else if byte == UInt8(ascii: "\\") {
                escaped = true
            } else if byte == UInt8(ascii: "\"") {
                inString = false
            }
            return
        }
        switch byte {
        case UInt8(ascii: "\""): inString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
}

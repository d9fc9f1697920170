internal import Glibc
internal import SystemPackage
internal import Rendering

/// Where answers go: standard output in large writes, complaints to standard error.
enum Output {
    /// Writes text to standard output. A reader that has gone away ends the command quietly, as it ends `cat`.
    static func print(_ text: String) {
        write(text.utf8, to: .standardOutput)
    }

    /// The same with lines that are too long for `width` columns broken between words; nil is no limit.
    static func print(_ text: String, width: Int?) {
        print(wrapped(text, to: width))
    }

    /// Writes one sentence to standard error: `vfioctl: …`.
    static func complain(_ sentence: String) {
        note("vfioctl: \(sentence)")
    }

    /// Writes one line to standard error. What a user or a file put into it reaches the terminal as text, never as a control
    /// sequence or a line of its own.
    static func note(_ line: String) {
        tell("\(line.printable)\n")
    }

    /// Writes to standard error as it is: for a line that is rewritten on a terminal.
    static func draw(_ text: String) {
        tell(text)
    }

    /// A standard error that is gone (a closed pipe, a terminal that hung up) is no reason to leave a change half-way.
    private static func tell(_ text: String) {
        _ = try? FileDescriptor.standardError.writeAll(text.utf8)
    }

    /// Writes one JSON object, keys in order, and a newline.
    static func print(json value: some Encodable) throws {
        write(try encoded(value), to: .standardOutput)
    }

    /// One JSON object, keys in order, and a newline.
    static func encoded(_ value: some Encodable) throws -> [UInt8] {
        var bytes = try JSONWriter.bytes(of: value)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// A reader that went away ends the command quietly; what else can go wrong (a full disk) is told.
    private static func write(_ bytes: some Sequence<UInt8>, to descriptor: FileDescriptor) {
        do {
            try descriptor.writeAll(bytes)
        } catch {
            if (error as? Errno) != .brokenPipe { complain("the answer could not be written: \(error)") }
            exit(ExitStatus.unwritten.rawValue)
        }
    }
}

extension KeyedEncodingContainer {
    /// What the members that the compiler writes for a report use: the value, or null, without an encoder of its own.
    mutating func encode<Value>(_ member: Nullable<Value>, forKey key: Key) throws {
        if let value = member.wrappedValue { try encode(value, forKey: key) } else { try encodeNil(forKey: key) }
    }
}

/// A value that is written as JSON null when absent; plain optionals would leave the key out.
@propertyWrapper
struct Nullable<Value: Encodable>: Encodable {
    var wrappedValue: Value?

    init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}

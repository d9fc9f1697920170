internal import FoundationEssentials
internal import Glibc

/// Where answers go: standard output in large writes, complaints to standard error.
enum Output {
    /// Writes text to standard output. A reader that has gone away ends the command quietly, as it ends `cat`.
    static func print(_ text: String) {
        write(text.utf8, to: STDOUT_FILENO)
    }

    /// Writes one sentence to standard error: `vfioctl: …`.
    static func complain(_ sentence: String) {
        write("vfioctl: \(sentence)\n".utf8, to: STDERR_FILENO)
    }

    /// Writes one line to standard error.
    static func note(_ line: String) {
        write("\(line)\n".utf8, to: STDERR_FILENO)
    }

    /// Writes to standard error as it is: for a line that is rewritten on a terminal.
    static func draw(_ text: String) {
        write(text.utf8, to: STDERR_FILENO)
    }

    /// Writes one JSON object, keys in order, and a newline.
    static func print(json value: some Encodable) throws {
        let encoder = JSONEncoder()
        // Sorted, so that the same answer is the same bytes.
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        write(Array(try encoder.encode(value)) + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
    }

    private static func write(_ bytes: some Collection<UInt8>, to descriptor: CInt) {
        let buffer = ContiguousArray(bytes)
        unsafe buffer.withUnsafeBytes { buffer in
            var rest = unsafe buffer[...]
            while unsafe !rest.isEmpty {
                let written = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
                if written < 0 {
                    if errno == EINTR { continue }
                    exit(errno == EPIPE ? 0 : ExitStatus.incomplete.rawValue)
                }
                unsafe rest = rest.dropFirst(written)
            }
        }
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

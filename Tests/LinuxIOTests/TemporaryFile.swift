internal import Glibc
internal import LinuxIO
internal import Testing

/// A file without a name, gone with its descriptor.
func temporaryFile(_ content: [UInt8]) throws -> OwnedDescriptor {
    let file = try OwnedDescriptor.open("/tmp", flags: O_RDWR | 0o20_000_000 | O_DIRECTORY)
    #expect(try file.write(content.span, at: 0, subject: "a temporary file") == content.count)
    return file
}

/// What a file holds at an offset; fewer bytes at its end.
func content(of file: borrowing OwnedDescriptor, at offset: UInt64 = 0, count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var span = bytes.mutableSpan
    let read = try file.read(into: &span, at: offset, subject: "a temporary file")
    return Array(bytes.prefix(read))
}

/// What `#require` is to values that can be copied.
func required<Value: ~Copyable>(
    _ value: consuming Value?, sourceLocation: SourceLocation = #_sourceLocation
) throws -> Value {
    if let value { return value }
    Issue.record("there is no value", sourceLocation: sourceLocation)
    throw CancellationError()
}

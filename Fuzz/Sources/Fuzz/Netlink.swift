internal import Netlink

/// What the kernel, or a capture that somebody made, says to have come from a netlink socket: the same bytes as each of the dumps, and
/// as what a socket received piece by piece.
@Sendable func parseNetlink(_ bytes: [UInt8]) {
    count(Link.self, in: bytes)
    count(InterfaceAddress.self, in: bytes)
    count(Route.self, in: bytes)
    // The sequence number of the first message, so that its answers are taken.
    let sequence = bytes.dropFirst(8).prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    var collector = DumpCollector(sequence: sequence, limit: 1 << 16)
    _ = try? collector.take(bytes[...])
    precondition(collector.bytes.count <= 1 << 16, "a dump keeps to its limit")
}

private func count<Value: DumpedValue>(_: Value.Type, in bytes: [UInt8]) {
    guard let dump = try? Dumped<Value>(bytes) else { return }
    precondition(dump.values.count <= bytes.count / NetlinkMessage.headerSize, "a message describes one thing")
}

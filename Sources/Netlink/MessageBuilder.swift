/// Builds one netlink message: a header, the fixed part of its type, attributes. `bytes` is a whole message at all times.
public struct MessageBuilder: Hashable, Sendable {
    /// The longest message that is built. The kernel takes no longer one than a socket's send buffer, some 200 KiB.
    public static let limit = 1 << 17

    /// The message so far, its length included.
    public private(set) var bytes: [UInt8]

    /// NLA_F_NESTED.
    private static let nested: UInt16 = 0x8000

    /// Begins a message.
    ///
    /// - Parameters:
    ///   - type: what it is.
    ///   - flags: how it is meant; a request to the kernel has `.request` among them.
    ///   - sequence: a number that the answers repeat.
    ///   - port: the sender's; 0 towards the kernel, which knows it.
    public init(type: MessageType, flags: MessageFlags, sequence: UInt32 = 0, port: UInt32 = 0) {
        bytes = []
        bytes.append(native: UInt32(NetlinkMessage.headerSize))
        bytes.append(native: type.rawValue)
        bytes.append(native: flags.rawValue)
        bytes.append(native: sequence)
        bytes.append(native: port)
    }

    /// Appends a field of the fixed part (`struct ifinfomsg`, `struct rtmsg` …), in the machine's byte order, unaligned:
    /// padding is a field too.
    public mutating func append(_ field: some FixedWidthInteger) throws(NetlinkError) {
        try reserve(field.bitWidth / 8)
        bytes.append(native: field)
        noteLength()
    }

    /// Appends bytes as they are: a structure that is no attribute.
    public mutating func append(bytes content: some Collection<UInt8>) throws(NetlinkError) {
        try reserve(content.count)
        bytes.append(contentsOf: content)
        noteLength()
    }

    /// Adds an attribute.
    ///
    /// - Throws: `.tooLong` when the value is longer than an attribute or the message can be; nothing is added then.
    public mutating func add(_ type: UInt16, _ value: some Collection<UInt8>) throws(NetlinkError) {
        let most = Int(UInt16.max) - Attribute.headerSize
        guard value.count <= most else { throw NetlinkError(.tooLong(limit: most), at: bytes.count) }
        try reserve(Attribute.headerSize + value.count)
        align()
        bytes.append(native: UInt16(Attribute.headerSize + value.count))
        bytes.append(native: type)
        bytes.append(contentsOf: value)
        align()
        noteLength()
    }

    /// Adds an attribute that is a number, in the machine's byte order.
    public mutating func add(_ type: UInt16, number: some FixedWidthInteger) throws(NetlinkError) {
        var value: [UInt8] = []
        value.append(native: number)
        try add(type, value)
    }

    /// Adds an attribute that is a text, with the NUL that ends it. What comes after a NUL in `text` itself is left out.
    public mutating func add(_ type: UInt16, text: String) throws(NetlinkError) {
        try add(type, Array(text.utf8.prefix { $0 != 0 }) + [0])
    }

    /// Adds an attribute that holds others (NLA_F_NESTED): those that `content` adds.
    ///
    /// - Throws: `.tooLong`, or what `content` throws; nothing is added then.
    public mutating func nest(
        _ type: UInt16, _ content: (inout MessageBuilder) throws(NetlinkError) -> Void
    ) throws(NetlinkError) {
        let before = self
        do throws(NetlinkError) {
            try add(type | Self.nested, [])
            let start = bytes.count - Attribute.headerSize
            try content(&self)
            let length = bytes.count - start
            guard length <= Int(UInt16.max) else {
                throw NetlinkError(.tooLong(limit: Int(UInt16.max)), at: start)
            }
            bytes.replace(at: start, native: UInt16(length))
        } catch {
            self = before
            throw error
        }
    }

    private func reserve(_ count: Int) throws(NetlinkError) {
        // Up to three bytes of padding go before, and as many after.
        guard count <= Self.limit - bytes.count - 6 else {
            throw NetlinkError(.tooLong(limit: Self.limit), at: bytes.count)
        }
    }

    private mutating func align() {
        while bytes.count & 3 != 0 { bytes.append(0) }
    }

    private mutating func noteLength() { bytes.replace(at: 0, native: UInt32(bytes.count)) }
}

/// A question that the kernel answers with everything of a kind (NLM_F_DUMP), over NETLINK_ROUTE: rtnetlink(7).
public enum NetlinkDump: String, Hashable, Sendable, CaseIterable {
    /// Interfaces: RTM_GETLINK, without their counters (RTEXT_FILTER_SKIP_STATS).
    case link
    /// Addresses of all families: RTM_GETADDR.
    case address
    /// Routes of all families and tables: RTM_GETROUTE.
    case route

    /// The type of the messages that answer it.
    public var answer: MessageType {
        switch self {
        case .link: .newLink
        case .address: .newAddress
        case .route: .newRoute
        }
    }

    /// The message that asks, complete in the sense of NETLINK_GET_STRICT_CHK: a whole header of its type, all of it 0.
    ///
    /// - Parameter sequence: a number that the answers repeat.
    public func request(sequence: UInt32) throws(NetlinkError) -> [UInt8] {
        switch self {
        case .link:
            var message = MessageBuilder(type: .getLink, flags: [.request, .dump], sequence: sequence)
            try message.append(bytes: repeatElement(0, count: Link.headerSize))
            try message.add(Link.Key.extendedMask, number: UInt32(8))
            return message.bytes
        case .address:
            var message = MessageBuilder(type: .getAddress, flags: [.request, .dump], sequence: sequence)
            try message.append(bytes: repeatElement(0, count: InterfaceAddress.headerSize))
            return message.bytes
        case .route:
            var message = MessageBuilder(type: .getRoute, flags: [.request, .dump], sequence: sequence)
            try message.append(bytes: repeatElement(0, count: Route.headerSize))
            return message.bytes
        }
    }
}

/// What one message of a dump describes.
public protocol DumpedValue: Hashable, Sendable {
    /// The question that it is an answer to.
    static var dump: NetlinkDump { get }

    /// Reads it from a message of the type that answers the question. Nil for a kind that is not described here, such as
    /// the route of a protocol other than IP.
    init?(_ message: NetlinkMessage) throws(NetlinkError)
}

/// A dump, read.
public struct Dumped<Value: DumpedValue>: Hashable, Sendable {
    /// Everything that it lists, in its order.
    public var values: [Value] = []
    /// Whether what is listed changed in the middle of it, so that something may be missing or there twice.
    public var wasInterrupted = false

    /// Reads the bytes of one whole dump, as `DumpCollector` keeps them.
    ///
    /// - Throws: whatever makes no sense in it; `.unfinished` when its end is cut off; `.refused` when it ends with the
    ///   kernel's refusal. Nothing of a dump is taken whose bytes are not all in order.
    public init(_ bytes: [UInt8]) throws(NetlinkError) {
        var reader = MessageReader(bytes[...])
        while let message = try reader.next() {
            if message.flags.contains(.dumpInterrupted) { wasInterrupted = true }
            if let refusal = try message.refusal() { throw refusal }
            if message.type == .done { return }
            guard message.type == Value.dump.answer, let value = try Value(message) else { continue }
            values.append(value)
        }
        throw NetlinkError(.unfinished, at: bytes.count)
    }
}

/// Puts one dump together from what a socket receives.
///
/// What differs from one asking to the next and says nothing about the host, the sequence number and the port, is set to 0:
/// two dumps of one state are the same bytes.
public struct DumpCollector: Hashable, Sendable {
    /// The messages so far, the last one that ends the dump included.
    public private(set) var bytes: [UInt8] = []
    /// Whether what is listed changed in the middle of it: ask again.
    public private(set) var wasInterrupted = false
    private let sequence: UInt32
    private let limit: Int

    /// Begins a dump.
    ///
    /// - Parameters:
    ///   - sequence: the number of the request; answers to others are left out.
    ///   - limit: the most bytes to keep.
    public init(sequence: UInt32, limit: Int) {
        self.sequence = sequence
        self.limit = limit
    }

    /// Takes what one recv(2) gave.
    ///
    /// - Returns: whether the dump is complete.
    /// - Throws: the kernel's refusal; `.tooLong` when the dump passes the limit; what makes no sense.
    public mutating func take(_ datagram: ArraySlice<UInt8>) throws(NetlinkError) -> Bool {
        var reader = MessageReader(datagram)
        while let message = try reader.next() {
            guard message.sequence == sequence || message.type == .overrun else { continue }
            if let refusal = try message.refusal() { throw refusal }
            if message.flags.contains(.dumpInterrupted) { wasInterrupted = true }
            let size = NetlinkMessage.headerSize + message.body.count
            guard size <= limit - bytes.count else { throw NetlinkError(.tooLong(limit: limit), at: bytes.count) }
            let start = bytes.count
            bytes.append(contentsOf: datagram[message.offset..<message.body.endIndex])
            bytes.replace(at: start + 8, native: UInt64(0))
            while bytes.count & 3 != 0 { bytes.append(0) }
            if message.type == .done { return true }
        }
        return false
    }
}

/// What a message is: `nlmsg_type` of `struct nlmsghdr`.
public struct MessageType: RawRepresentable, Hashable, Sendable {
    /// The kernel's number.
    public var rawValue: UInt16

    /// Makes a type of the kernel's number.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// NLMSG_NOOP: to be skipped.
    public static let noOperation = MessageType(rawValue: 1)
    /// NLMSG_ERROR: an errno, 0 for an acknowledgement.
    public static let error = MessageType(rawValue: 2)
    /// NLMSG_DONE: the end of a dump.
    public static let done = MessageType(rawValue: 3)
    /// NLMSG_OVERRUN: messages were lost.
    public static let overrun = MessageType(rawValue: 4)
    /// RTM_NEWLINK: an interface.
    public static let newLink = MessageType(rawValue: 16)
    /// RTM_GETLINK: asks for interfaces.
    public static let getLink = MessageType(rawValue: 18)
    /// RTM_NEWADDR: an interface's address.
    public static let newAddress = MessageType(rawValue: 20)
    /// RTM_GETADDR: asks for addresses.
    public static let getAddress = MessageType(rawValue: 22)
    /// RTM_NEWROUTE: a route.
    public static let newRoute = MessageType(rawValue: 24)
    /// RTM_GETROUTE: asks for routes.
    public static let getRoute = MessageType(rawValue: 26)
}

/// How a message is meant: `nlmsg_flags` of `struct nlmsghdr`.
public struct MessageFlags: OptionSet, Hashable, Sendable {
    /// The kernel's bits.
    public let rawValue: UInt16

    /// Makes a set of the kernel's bits.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// NLM_F_REQUEST: every message to the kernel.
    public static let request = MessageFlags(rawValue: 0x1)
    /// NLM_F_MULTI: one of several, which NLMSG_DONE ends.
    public static let multi = MessageFlags(rawValue: 0x2)
    /// NLM_F_ACK: asks for an answer even when there is nothing to say.
    public static let acknowledge = MessageFlags(rawValue: 0x4)
    /// NLM_F_DUMP_INTR: what is dumped changed in the middle of it, so that something may be missing or there twice.
    public static let dumpInterrupted = MessageFlags(rawValue: 0x10)
    /// NLM_F_DUMP: asks for all of a kind.
    public static let dump = MessageFlags(rawValue: 0x300)
    /// NLM_F_CAPPED, of an NLMSG_ERROR: the refused message's body is not repeated in it.
    public static let capped = MessageFlags(rawValue: 0x100)
    /// NLM_F_ACK_TLVS, of an NLMSG_ERROR: attributes follow that explain it.
    public static let explained = MessageFlags(rawValue: 0x200)
}

/// One netlink message: the fields of `struct nlmsghdr` (<linux/netlink.h>), and what follows them.
public struct NetlinkMessage: Hashable, Sendable {
    /// The size of `struct nlmsghdr`.
    public static let headerSize = 16

    /// What it is.
    public var type: MessageType
    /// How it is meant.
    public var flags: MessageFlags
    /// The number of the request that it answers.
    public var sequence: UInt32
    /// The port of the socket that it belongs to.
    public var port: UInt32
    /// Everything after the header. Its indices are those of the bytes that the message was read from.
    public var body: ArraySlice<UInt8>

    /// Where the message begins in the bytes that it was read from.
    public var offset: Int { body.startIndex - Self.headerSize }

    /// The body after its fixed part of `size` bytes, for the attributes in it.
    ///
    /// - Throws: `.shortMessage` when there are not so many bytes.
    func attributes(after size: Int) throws(NetlinkError) -> AttributeReader {
        guard body.count >= size else { throw NetlinkError(.shortMessage(type), at: offset) }
        return AttributeReader(body.dropping(aligned: size))
    }
}

/// Reads one message after the other.
public struct MessageReader: Sendable {
    private var rest: ArraySlice<UInt8>

    /// Begins at the start of `bytes`: what recv(2) gave, or a stored dump.
    public init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next message; nil at the end of the bytes.
    ///
    /// - Throws: `.messageLength` for a header that is cut or that cannot be true. The reader then stands at its end.
    public mutating func next() throws(NetlinkError) -> NetlinkMessage? {
        guard !rest.isEmpty else { return nil }
        let start = rest
        rest = rest.suffix(0)
        guard let length = start.native(UInt32.self), length >= NetlinkMessage.headerSize, length <= start.count,
            let type = start.native(UInt16.self, at: 4), let flags = start.native(UInt16.self, at: 6),
            let sequence = start.native(UInt32.self, at: 8), let port = start.native(UInt32.self, at: 12)
        else {
            throw NetlinkError(.messageLength(start.native(UInt32.self) ?? UInt32(start.count)), at: start.startIndex)
        }
        rest = start.dropping(aligned: Int(length))
        return NetlinkMessage(
            type: MessageType(rawValue: type), flags: MessageFlags(rawValue: flags), sequence: sequence, port: port,
            body: start.prefix(Int(length)).dropFirst(NetlinkMessage.headerSize))
    }
}

extension NetlinkMessage {
    /// The refusal in an NLMSG_ERROR or NLMSG_DONE message; nil for an acknowledgement, the plain end of a dump, and every
    /// other type. NLMSG_OVERRUN is one too.
    public func refusal() throws(NetlinkError) -> NetlinkError? {
        switch type {
        case .overrun: return NetlinkError(.overrun, at: offset)
        case .error, .done: break
        default: return nil
        }
        guard let answer = body.native(Int32.self) else {
            // An old kernel's NLMSG_DONE may be bare.
            guard type == .error else { return nil }
            throw NetlinkError(.shortMessage(type), at: offset)
        }
        guard answer < 0 else { return nil }
        return NetlinkError(.refused(errno: 0 &- answer, explanation: explanation()), at: offset)
    }

    /// What the kernel says in words (NETLINK_EXT_ACK); nil where it says nothing, or nothing that can be read.
    private func explanation() -> String? {
        guard flags.contains(.explained) else { return nil }
        var rest = body.dropFirst(4)
        if type == .error {
            // The refused message is repeated, its header at least.
            let length = flags.contains(.capped) ? Self.headerSize : Int(rest.native(UInt32.self) ?? 0)
            guard length >= Self.headerSize, length <= rest.count else { return nil }
            rest = rest.dropping(aligned: length)
        }
        var attributes = AttributeReader(rest)
        do {
            while let attribute = try attributes.next() {
                if attribute.type == 1 { return attribute.text }
            }
        } catch {}
        return nil
    }
}

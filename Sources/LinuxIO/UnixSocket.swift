internal import CLinux

/// A connected Unix stream socket, over which bytes travel and, with them, open descriptors (SCM_RIGHTS).
public struct UnixSocket: ~Copyable, Sendable {
    /// The socket itself.
    public let descriptor: OwnedDescriptor
    /// Where it leads, for messages.
    public let peer: String

    /// Takes over a connected stream socket. `peer` says in messages where it leads.
    public init(adopting descriptor: consuming OwnedDescriptor, peer: String) {
        self.descriptor = descriptor
        self.peer = peer
    }

    /// Connects to who listens at `path`: socket(2), connect(2).
    public static func connect(to path: String) throws(SystemCallError) -> UnixSocket {
        let number = try checked(unsafe clinux_connect_unix(path), "connect", on: path)
        return UnixSocket(adopting: OwnedDescriptor(adopting: CInt(number)), peer: path)
    }

    /// Sends all of `bytes`, and `descriptors` in the same message as the first of them: sendmsg(2). The receiver gets
    /// descriptors of its own; the caller keeps these.
    ///
    /// - Parameters:
    ///   - bytes: at least one, or the kernel would drop the descriptors.
    ///   - descriptors: at most 253.
    public borrowing func send(_ bytes: [UInt8], descriptors: [CInt] = []) throws(SystemCallError) {
        let result = unsafe clinux_send(descriptor.rawValue, bytes, bytes.count, descriptors, descriptors.count)
        _ = try checked(result, "sendmsg", on: peer)
    }

    /// What one recvmsg(2) brought.
    public struct Message: ~Copyable, Sendable {
        /// The bytes; empty at the end of the stream.
        public var bytes: [UInt8]
        /// The descriptors that came with them, close-on-exec.
        public var descriptors: OwnedDescriptors
    }

    /// Receives what is there, waiting for at least a byte: recvmsg(2).
    ///
    /// More descriptors than `descriptorLimit` are closed, and the answer is EMSGSIZE: some would be missing otherwise.
    ///
    /// - Parameters:
    ///   - byteLimit: the most bytes to take.
    ///   - descriptorLimit: the most descriptors to take, at most 253.
    ///   - timeLimit: the longest wait; nil waits for as long as it takes.
    /// - Returns: nil when the time is over.
    public borrowing func receive(
        atMost byteLimit: Int = 65_536, descriptors descriptorLimit: Int = 0, within timeLimit: Duration? = nil
    ) throws(SystemCallError) -> Message? {
        let limit = timeLimit?.nanosecondsRoundedUp ?? -1
        guard try checked(clinux_wait_readable(descriptor.rawValue, limit), "ppoll", on: peer) > 0 else { return nil }
        var numbers = [CInt](repeating: -1, count: min(descriptorLimit, C_SCM_MAX_FD))
        var found = 0
        var result = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max(byteLimit, 1)) { buffer, initialized in
            result = unsafe clinux_receive(
                descriptor.rawValue, buffer.baseAddress, buffer.count, &numbers, numbers.count, &found)
            initialized = max(result, 0)
        }
        _ = try checked(result, "recvmsg", on: peer)
        return Message(bytes: bytes, descriptors: OwnedDescriptors(adopting: Array(numbers.prefix(found))))
    }
}

/// Two sockets, each the other's peer.
public struct UnixSocketPair: ~Copyable, Sendable {
    /// One end.
    public var first: UnixSocket
    /// The other end.
    public var second: UnixSocket

    /// socketpair(2).
    public init() throws(SystemCallError) {
        var ends: (CInt, CInt) = (-1, -1)
        let result = unsafe withUnsafeMutableBytes(of: &ends) { bytes in
            unsafe clinux_socket_pair(bytes.baseAddress?.assumingMemoryBound(to: CInt.self))
        }
        _ = try checked(result, "socketpair", on: "a pair of sockets")
        first = UnixSocket(adopting: OwnedDescriptor(adopting: ends.0), peer: "the second of a pair")
        second = UnixSocket(adopting: OwnedDescriptor(adopting: ends.1), peer: "the first of a pair")
    }
}

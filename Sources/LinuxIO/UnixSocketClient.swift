internal import CLinux

extension UnixSocket {
    /// Connects to who listens at `path`, of any length, and gives up after `timeLimit`: with EAGAIN when the listener
    /// is there and lets nobody in. The same limit holds for every later `send` (SO_SNDTIMEO).
    public static func connect(to path: String, within timeLimit: Duration) throws(SystemCallError) -> UnixSocket {
        let (seconds, attoseconds) = timeLimit.components
        let milliseconds = min(max(seconds, 0), 1_000_000) * 1000 + max(attoseconds, 0) / 1_000_000_000_000_000
        let number = try checked(
            unsafe clinux_connect_unix_within(path, CInt(milliseconds)), "connect", on: path)
        return UnixSocket(adopting: OwnedDescriptor(adopting: CInt(number)), peer: path)
    }

    /// The process that listens at the other end: getsockopt(2), SO_PEERCRED. Nil when it cannot be told from here (it
    /// lives in another pid namespace).
    public borrowing func peerProcess() throws(SystemCallError) -> Int32? {
        var pid: Int32 = 0
        _ = try checked(unsafe clinux_peer_process(descriptor.rawValue, &pid), "getsockopt(SO_PEERCRED)", on: peer)
        return pid > 0 ? pid : nil
    }
}

internal import CLinux
internal import SystemPackage

/// A netlink socket to the kernel's network side (NETLINK_ROUTE): netlink(7), rtnetlink(7).
public struct NetlinkSocket: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    /// socket(2), bind(2): close-on-exec, with a port of the kernel's choice, strict checking and explained refusals where
    /// the kernel has them. It speaks of the network namespace that the calling thread is in now.
    public init() throws(SystemCallError) {
        let number = try checked(clinux_open_netlink(C_NETLINK_ROUTE), "socket", on: Self.subject)
        descriptor = OwnedDescriptor(adopting: CInt(number))
    }

    private static let subject = "NETLINK_ROUTE"

    /// Sends a message to the kernel: sendto(2).
    public borrowing func send(_ message: [UInt8]) throws(SystemCallError) {
        let result = unsafe clinux_send_netlink(descriptor.rawValue, message, message.count)
        _ = try checked(result, "sendto", on: Self.subject)
    }

    /// Receives one datagram of the kernel's into `buffer`: ppoll(2), recvmsg(2). What others send is dropped.
    ///
    /// - Parameters:
    ///   - buffer: where it goes.
    ///   - timeLimit: the longest wait.
    /// - Returns: the datagram's length, which is more than the buffer's when its end was cut off; nil when the time is
    ///   over.
    /// - Throws: ENOBUFS when the kernel had more messages than the socket could hold: some are lost.
    public borrowing func receive(into buffer: inout [UInt8], within timeLimit: Duration) throws(SystemCallError)
        -> Int?
    {
        let deadline = ContinuousClock.now + timeLimit
        while true {
            let left = max(deadline - .now, .zero)
            let ready = clinux_wait_readable(descriptor.rawValue, left.nanosecondsRoundedUp)
            guard try checked(ready, "ppoll", on: Self.subject) > 0 else { return nil }
            var sender: UInt32 = 0
            let capacity = buffer.count
            let result = unsafe clinux_receive_netlink(descriptor.rawValue, &buffer, capacity, &sender)
            do {
                let length = try checked(result, "recvmsg", on: Self.subject)
                if sender == 0 { return length }
            } catch  where error.errno == .resourceTemporarilyUnavailable {
                // What was announced is gone again: the wait goes on.
            }
        }
    }
}

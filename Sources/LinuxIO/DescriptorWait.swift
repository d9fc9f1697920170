internal import CLinux
internal import Glibc

/// What can be waited for on a descriptor: poll(2).
public struct DescriptorEvents: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt8

    /// Makes a set of events.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// There is something to read, or the end of it.
    public static let readable = DescriptorEvents(rawValue: 1)
    /// A write would not block.
    public static let writable = DescriptorEvents(rawValue: 2)
    /// The other end is gone, or there never was a descriptor of that number. Told without being asked for.
    public static let gone = DescriptorEvents(rawValue: 4)

    fileprivate var asked: Int16 {
        Int16((contains(.readable) ? POLLIN : 0) | (contains(.writable) ? POLLOUT : 0))
    }

    fileprivate init(happened: Int16) {
        var events: DescriptorEvents = []
        if Int32(happened) & POLLIN != 0 { events.insert(.readable) }
        if Int32(happened) & POLLOUT != 0 { events.insert(.writable) }
        if Int32(happened) & (POLLERR | POLLHUP | POLLNVAL) != 0 { events.insert(.gone) }
        self = events
    }
}

/// Blocks the thread until something happens to one of several descriptors: poll(2).
///
/// - Parameter wanted: each descriptor, and what is waited for on it; the empty set waits for its other end to go.
/// - Returns: what happened to each, in the same order.
public func waitForAny(_ wanted: [(descriptor: CInt, events: DescriptorEvents)]) throws(SystemCallError)
    -> [DescriptorEvents]
{
    var polled = wanted.map { pollfd(fd: $0.descriptor, events: $0.events.asked, revents: 0) }
    let result = unsafe polled.withUnsafeMutableBufferPointer { buffer in
        unsafe clinux_wait_any(buffer.baseAddress, buffer.count)
    }
    _ = try checked(result, "poll", on: "\(wanted.count) descriptors")
    return polled.map { DescriptorEvents(happened: $0.revents) }
}

/// SIGINT and SIGTERM as something to wait for beside other descriptors: signalfd(2).
///
/// From its making on they end nothing by themselves, and SIGPIPE is blocked too: whoever makes one asks it before every
/// wait. To be made by the main thread before it has others.
public struct EndingSignals: ~Copyable, Sendable {
    /// Readable once one of them has come.
    public let descriptor: OwnedDescriptor

    /// Blocks the signals for the rest of this process: pthread_sigmask(3).
    public init() throws(SystemCallError) {
        let number = try checked(clinux_ending_signals(), "signalfd", on: "SIGINT and SIGTERM")
        descriptor = OwnedDescriptor(adopting: CInt(number))
    }
}

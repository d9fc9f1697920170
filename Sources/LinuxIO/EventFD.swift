internal import CLinux
internal import SystemPackage

/// A kernel counter that can be waited for: eventfd(2). Interrupts arrive on it.
///
/// A class, not a noncopyable value: an eventfd is there to be shared, by the device that signals it, the thread that
/// waits for it, and KVM, which turns it into a guest's interrupt.
public final class EventFD: Sendable {
    /// The descriptor, for whoever is to signal or to be woken.
    public let descriptor: OwnedDescriptor

    /// Makes one that counts from 0.
    public init() throws(SystemCallError) {
        descriptor = OwnedDescriptor(adopting: CInt(try checked(clinux_eventfd(), "eventfd", on: "a new counter")))
    }

    /// Adds to the count. Wakes who waits.
    public func signal(_ count: UInt64 = 1) throws(SystemCallError) {
        var count = count
        let written = unsafe clinux_write(descriptor.rawValue, &count, MemoryLayout<UInt64>.size)
        _ = try checked(written, "write", on: "an eventfd")
    }

    /// Takes what was counted since it was last taken, without waiting: 0 when nothing was.
    public func take() throws(SystemCallError) -> UInt64 {
        var count: UInt64 = 0
        let result = unsafe clinux_read(descriptor.rawValue, &count, MemoryLayout<UInt64>.size)
        if result < 0 {
            let error = SystemCallError("read", on: "an eventfd", errno: .init(rawValue: CInt(-result)))
            guard error.errno == .resourceTemporarilyUnavailable else { throw error }
            return 0
        }
        return count
    }

    /// Blocks the thread until the count is above 0, takes it, and returns it; nil when the time is over first.
    ///
    /// - Parameter limit: the longest wait; nil waits for as long as it takes.
    public func wait(atMost limit: Duration?) throws(SystemCallError) -> UInt64? {
        let clock = ContinuousClock()
        let deadline = limit.map { clock.now.advanced(by: $0) }
        while true {
            let left = deadline.map { clock.now.duration(to: $0).nanosecondsRoundedUp } ?? -1
            let ready = clinux_wait_readable(descriptor.rawValue, left)
            guard try checked(ready, "ppoll", on: "an eventfd") > 0 else { return nil }
            // Another thread may have been faster.
            let count = try take()
            if count > 0 { return count }
        }
    }
}

extension Duration {
    /// Whole nanoseconds, never negative, the longest representable time for more than that.
    var nanosecondsRoundedUp: Int64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let part = (attoseconds + 999_999_999) / 1_000_000_000
        let (sum, tooMuch) = whole.addingReportingOverflow(part)
        return overflow || tooMuch ? .max : sum
    }
}

public import SystemPackage

/// A system call that the kernel refused.
public struct SystemCallError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call, as its manual page names it: `openat`, `VFIO_DEVICE_BIND_IOMMUFD`.
    public var call: String
    /// What it was asked of: a path, a device address, a descriptor's purpose.
    public var subject: String
    /// The kernel's answer.
    public var errno: Errno

    /// Makes the error of one refused call.
    public init(_ call: String, on subject: String, errno: Errno) {
        self.call = call
        self.subject = subject
        self.errno = errno
    }

    /// `openat of /dev/vfio/12: Permission denied`.
    public var description: String { "\(call) of \(subject): \(errno.explanation)" }
}

extension Errno {
    /// The C library's sentence for this error (`strerror`), with the name of the ones that its sentence hides.
    public var explanation: String { description }
}

/// Turns a CLinux answer (a result, or -errno) into a value or a thrown error.
@inlinable
public func checked(_ result: Int, _ call: @autoclosure () -> String, on subject: @autoclosure () -> String)
    throws(SystemCallError) -> Int
{
    guard result < 0 else { return result }
    throw SystemCallError(call(), on: subject(), errno: Errno(rawValue: CInt(truncatingIfNeeded: -result)))
}

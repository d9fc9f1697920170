public import SystemPackage

/// The journal under /run/vfioctl could not be read or written.
public struct JournalError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which file.
    public var path: String
    /// What is the matter with it.
    public var reason: String
    /// The kernel's answer, when it was the kernel that refused.
    public var errno: Errno?

    /// Makes the error of one file.
    public init(path: String, reason: String, errno: Errno? = nil) {
        self.path = path
        self.reason = reason
        self.errno = errno
    }

    /// One sentence, with what to do.
    public var description: String {
        "the journal \(path) is unusable: \(reason); look at it, and move it away if the change it names is settled"
    }
}

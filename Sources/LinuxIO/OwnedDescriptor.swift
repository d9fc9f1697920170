internal import CLinux
internal import Glibc

/// A file descriptor with one owner: closed when the owner goes, never twice, never leaked.
///
/// close(2) is not retried: on Linux the descriptor is gone whatever the call answers.
public struct OwnedDescriptor: ~Copyable, Sendable {
    /// The number. It stays valid only as long as this value lives.
    public let rawValue: CInt

    /// Takes ownership of an open descriptor. The caller must not close it afterwards.
    public init(adopting rawValue: CInt) {
        precondition(rawValue >= 0, "a descriptor is never negative")
        self.rawValue = rawValue
    }

    deinit { _ = clinux_close(rawValue) }

    /// Gives up ownership without closing: the caller closes the number, or another process does.
    public consuming func release() -> CInt {
        let number = rawValue
        discard self
        return number
    }
}

extension OwnedDescriptor {
    /// openat(2) from the working directory, close-on-exec always.
    ///
    /// - Parameters:
    ///   - path: absolute, or relative to the working directory.
    ///   - flags: `O_RDONLY`, `O_RDWR | O_DIRECTORY`, …
    public static func open(_ path: String, flags: CInt) throws(SystemCallError) -> OwnedDescriptor {
        let number = unsafe clinux_openat(AT_FDCWD, path, flags, 0o600)
        return OwnedDescriptor(adopting: CInt(try checked(number, "open", on: path)))
    }

    /// openat(2) below this directory, close-on-exec always. `path` may still leave it by a link or by "..".
    public func open(_ path: String, flags: CInt) throws(SystemCallError) -> OwnedDescriptor {
        // Spelt out: passed as it is, a short path (which most are) would become an array for the call.
        let number = unsafe path.withCString { unsafe clinux_openat(rawValue, $0, flags, 0o600) }
        return OwnedDescriptor(adopting: CInt(try checked(number, "open", on: path)))
    }

    /// openat2(2) with this directory as the root of the path and of every link on it: nothing outside is reached.
    public func openInRoot(_ path: String, flags: CInt) throws(SystemCallError) -> OwnedDescriptor {
        let number = unsafe path.withCString { unsafe clinux_openat_in_root(rawValue, $0, flags) }
        return OwnedDescriptor(adopting: CInt(try checked(number, "openat2", on: path)))
    }
}

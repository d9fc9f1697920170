package import LinuxIO
public import SystemPackage

/// Something asked of a host that it did not do.
public struct HostAccessError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was asked.
    public enum Request: String, Hashable, Sendable, Codable {
        case open, read, write, list, make, remove, lock
        case readLink = "read the link"
        case loadModule = "load the module"
        case findModules = "find the modules of"
        case netlinkDump = "get the netlink dump of every"
    }

    /// What kind of answer came.
    public enum Code: Hashable, Sendable {
        /// The kernel refused: `errno` says how.
        case refused
        /// The write has not returned in its time. The process that makes it (`helper`) was left behind, and the write
        /// may still land.
        case stillPending(helper: Int32)
        /// The file is longer than the caller allowed, or is no regular file.
        case unreadable
        /// Another process holds the lock: its pid and command, as the lock file names them.
        case locked(holder: String)
        /// This machine lacks what the request needs: libkmod, for one.
        case unavailable(String)
    }

    /// What was asked.
    public var request: Request
    /// Of which file, or which module.
    public var path: String
    /// What was to be written, for a write.
    public var value: String?
    /// What kind of answer came.
    public var code: Code
    /// The kernel's answer.
    public var errno: Errno

    /// Describes one failed request.
    public init(_ request: Request, _ path: String, value: String? = nil, code: Code = .refused, errno: Errno) {
        self.request = request
        self.path = path
        self.value = value
        self.code = code
        self.errno = errno
    }

    /// `could not write 0000:01:00.0 to /sys/…/unbind: Device or resource busy`.
    public var description: String {
        let what =
            switch (request, value) {
            case (.write, .some(let value)): "write \(value.isEmpty ? "an empty line" : value) to \(path)"
            default: "\(request.rawValue) \(path)"
            }
        return switch code {
        case .refused: "could not \(what): \(errno)"
        case .stillPending(let helper): "the attempt to \(what) has not returned (process \(helper) still waits in it)"
        case .unreadable: "could not \(what): it is no regular file, or too large"
        case .locked(let holder): "could not \(what): \(holder) holds it"
        case .unavailable(let reason): "could not \(what): \(reason)"
        }
    }
}

extension HostAccessError {
    /// Why the content of `path` could not be had.
    package init(_ error: FileReadError, on path: String) {
        switch error {
        case .system(let refusal): self.init(.read, path, errno: refusal.errno)
        case .notRegular: self.init(.read, path, code: .unreadable, errno: .invalidArgument)
        case .tooLarge: self.init(.read, path, code: .unreadable, errno: .fileTooLarge)
        }
    }
}

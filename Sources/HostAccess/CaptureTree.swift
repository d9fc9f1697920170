public import SystemPackage

/// A host's files, directories and links as a value: what a capture is before it is written, by canonical paths.
public struct CaptureTree: Hashable, Sendable {
    /// What stands at a path.
    public enum Node: Hashable, Sendable {
        /// A directory.
        case directory
        /// A file with this content.
        case file([UInt8])
        /// A symbolic link, with its target as it is written there.
        case link(String)
        /// Something that the host would not read or list.
        case refused(CapturedRefusal)
        /// Something whose name was listed, and that nobody looked at.
        case unread
    }

    /// What a link with this target stands for, in a captured directory: mostly for itself.
    package static func link(to target: String) -> Node {
        if target == CaptureNames.unread { return .unread }
        return CapturedRefusal(linkTarget: target).map { .refused($0) } ?? .link(target)
    }

    /// By canonical path ("/sys/bus/pci"). A directory that something stands in need not be named.
    public var nodes: [String: Node]

    /// Makes a tree of nodes.
    public init(_ nodes: [String: Node] = [:]) { self.nodes = nodes }

    /// How many files it has, and how many bytes are in them.
    public var size: (files: Int, bytes: Int) {
        nodes.values.reduce(into: (0, 0)) { size, node in
            if case .file(let content) = node { size = (size.0 + 1, size.1 + content.count) }
        }
    }
}

/// Why a host would not read or list something.
///
/// In a captured directory it is a link that leads nowhere and names the answer, `config -> .refused-EACCES`, so that whoever
/// reads the capture, as whatever user, gets the answer that was given then.
public struct CapturedRefusal: Hashable, Sendable {
    /// The kernel's answer.
    public var errno: Errno
    /// It was no regular file, or longer than its reader allowed: our own answer, not the kernel's.
    public var isUnreadable: Bool

    /// The refusal in a host's error.
    public init(_ error: HostAccessError) {
        errno = error.errno
        isUnreadable = error.code == .unreadable
    }

    private static let prefix = ".refused-"

    private static let names: [(Errno, String)] = [
        (.notPermitted, "EPERM"), (.ioError, "EIO"), (.noSuchAddressOrDevice, "ENXIO"), (.permissionDenied, "EACCES"),
        (.resourceBusy, "EBUSY"), (.operationNotSupportedByDevice, "ENODEV"), (.invalidArgument, "EINVAL"),
        (.fileTooLarge, "EFBIG"),
        (.notSupported, "EOPNOTSUPP"), (.timedOut, "ETIMEDOUT"), (.networkDown, "ENETDOWN"),
        (.noSuchProcess, "ESRCH"), (.noMemory, "ENOMEM"), (.outOfRange, "ERANGE"),
    ]

    /// The link that stands for it.
    var linkTarget: String {
        let name = Self.names.first { $0.0 == errno }?.1 ?? "\(errno.rawValue)"
        return Self.prefix + name + (isUnreadable ? "-unreadable" : "")
    }

    /// Reads a link's target; nil for a link that is only a link.
    package init?(linkTarget: String) {
        guard linkTarget.hasPrefix(Self.prefix) else { return nil }
        var name = linkTarget.dropFirst(Self.prefix.count)
        isUnreadable = name.hasSuffix("-unreadable")
        if isUnreadable { name = name.dropLast("-unreadable".count) }
        if let known = Self.names.first(where: { $0.1 == name }) {
            errno = known.0
        } else if let number = CInt(name), (1..<4096).contains(number) {
            errno = Errno(rawValue: number)
        } else {
            return nil
        }
    }

    /// The error that it is an answer to.
    package func error(_ request: HostAccessError.Request, _ path: String) -> HostAccessError {
        HostAccessError(request, path, code: isUnreadable ? .unreadable : .refused, errno: errno)
    }
}

/// The names in a captured directory that no host has.
enum CaptureNames {
    /// The only file in a directory that was empty: git and some archives keep no empty directories.
    static let emptyDirectory = ".empty"
    /// The target of the link that stands for something unread.
    static let unread = ".not-captured"
}

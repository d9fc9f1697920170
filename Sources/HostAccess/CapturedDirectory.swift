internal import Glibc
internal import LinuxIO
internal import SystemPackage

/// A host as a directory: what `vfioctl capture` wrote, or any tree with `sys` and `proc` in it. Read only.
///
/// DIR is "/" for every path and every link in it (openat2(2), RESOLVE_IN_ROOT): an absolute link, or one with too many
/// "..", leads to the capture's own files and never to those of the machine that looks. Only regular files are read, none
/// longer than its reader allows; a pipe, a device or a socket that stands in a file's place neither hangs nor answers.
public final class CapturedDirectory: HostAccess {
    private let root: CapturedSubdirectory

    /// Opens a capture.
    ///
    /// - Parameter directory: its place in the file system of the machine that looks.
    /// - Throws: the kernel's answer to opening it: there is none, it is no directory, permission.
    public init(_ directory: String) throws(HostAccessError) {
        do {
            let descriptor = try OwnedDescriptor.open(directory, flags: directoryFlags)
            root = CapturedSubdirectory(descriptor, path: "", root: nil)
        } catch {
            throw HostAccessError(.open, directory, errno: error.errno)
        }
    }

    /// "/": paths in messages are those of the captured host.
    public var path: String { "/" }

    /// The whole content of a file.
    public func read(_ path: String, limit: Int) throws(HostAccessError) -> [UInt8] {
        try root.read(path, limit: limit)
    }

    /// The same into an array whose storage is used again; false when there is no such file.
    public func read(_ path: String, limit: Int, into content: inout [UInt8]) throws(HostAccessError) -> Bool {
        try root.read(path, limit: limit, into: &content)
    }

    /// The last component of a link's target.
    public func linkName(_ path: String) -> String? { root.linkName(path) }

    /// The target of a symbolic link.
    public func readLink(_ path: String) throws(HostAccessError) -> String { try root.readLink(path) }

    /// The names in a directory.
    public func entries(_ path: String) throws(HostAccessError) -> [String] { try root.entries(path) }

    /// Whether something is there.
    public func exists(_ path: String) -> Bool { root.exists(path) }

    /// Refused with EROFS, like every change to a capture: the simulated kernel, loaded from it, is what changes.
    public func write(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError) {
        try root.write(value, to: path, timeLimit: timeLimit)
    }

    /// Who might open a file on the captured host: a line such as `0666 0:0 /dev/vfio/vfio` of the capture's `/permissions`.
    public func permissions(of path: String) -> NodePermissions? {
        optionalText(CaptureNames.permissions).flatMap { NodePermissions(of: path, in: $0) }
    }

    /// Opens a directory of the capture.
    public func directory(_ path: String) throws(HostAccessError) -> any HostDirectory { try root.directory(path) }

    /// Refused with EROFS.
    public func loadModule(_ name: String) throws(HostAccessError) {
        throw HostAccessError(.loadModule, name, errno: .readOnlyFileSystem)
    }

    /// Refused with EROFS.
    public func replaceFile(_ path: String, with content: [UInt8]) throws(HostAccessError) {
        throw HostAccessError(.write, path, errno: .readOnlyFileSystem)
    }

    /// Refused with EROFS.
    public func removeFile(_ path: String) throws(HostAccessError) {
        throw HostAccessError(.remove, path, errno: .readOnlyFileSystem)
    }

    /// Refused with EROFS.
    public func lock(_ path: String) throws(HostAccessError) -> any HostLock {
        throw HostAccessError(.lock, path, errno: .readOnlyFileSystem)
    }

    /// Returns at once: nothing moves in a capture.
    public func pause(_ duration: Duration) {}
}

/// A directory of a capture, open.
final class CapturedSubdirectory: HostDirectory {
    private let descriptor: OwnedDescriptor
    private let ownPath: String
    /// The capture's top; nil when this is it.
    private let root: CapturedSubdirectory?

    init(_ descriptor: consuming OwnedDescriptor, path: String, root: CapturedSubdirectory?) {
        self.descriptor = descriptor
        ownPath = path
        self.root = root
    }

    var path: String { ownPath.isEmpty ? "/" : ownPath }

    func read(_ path: String, limit: Int) throws(HostAccessError) -> [UInt8] {
        var content: [UInt8] = []
        guard try read(path, limit: limit, into: &content) else {
            throw HostAccessError(.read, absolute(path), errno: .noSuchFileOrDirectory)
        }
        return content
    }

    func read(_ path: String, limit: Int, into content: inout [UInt8]) throws(HostAccessError) -> Bool {
        let file: OwnedDescriptor
        do {
            file = try openFile(path)
        } catch .system(let error) {
            content.removeAll(keepingCapacity: true)
            let refusal = refusal(.read, path, error)
            guard refusal.errno == .noSuchFileOrDirectory else { throw refusal }
            return false
        } catch {
            throw HostAccessError(error, on: absolute(path))
        }
        do {
            try file.read(into: &content, limit: limit, subject: path)
            return true
        } catch {
            throw HostAccessError(error, on: absolute(path))
        }
    }

    func readLink(_ path: String) throws(HostAccessError) -> String {
        do {
            // A single name is read where it is; of a longer path, the directories on the way are resolved first.
            if Self.isPlainName(path) { return try descriptor.linkTarget(path) }
            return try link(path)
        } catch {
            throw HostAccessError(.readLink, absolute(path), errno: error.errno)
        }
    }

    private func link(_ path: String) throws(SystemCallError) -> String {
        let place = try open(path, flags: linkFlags)
        do {
            return try place.linkTarget("")
        } catch  where error.errno == .noSuchFileOrDirectory {
            // So a descriptor of something that is no link answers, where readlink(2) of a path has EINVAL.
            throw SystemCallError("readlink", on: path, errno: .invalidArgument)
        }
    }

    func linkName(_ path: String) -> String? {
        do {
            if Self.isPlainName(path) { return try descriptor.linkName(path) }
            return try open(path, flags: linkFlags).linkName("")
        } catch {
            return nil
        }
    }

    func entries(_ path: String) throws(HostAccessError) -> [String] {
        do {
            let names = try open(path, flags: directoryFlags).names(subject: path)
            return names == [CaptureNames.emptyDirectory] ? [] : names
        } catch {
            throw refusal(.list, path, error)
        }
    }

    func exists(_ path: String) -> Bool {
        do {
            // A single name that is no link is where it is.
            if Self.isPlainName(path), try descriptor.kind(of: path) != .link { return true }
            _ = try open(path, flags: placeFlags)
            return true
        } catch {
            return false
        }
    }

    func write(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError) {
        throw HostAccessError(.write, absolute(path), value: value, errno: .readOnlyFileSystem)
    }

    func directory(_ path: String) throws(HostAccessError) -> any HostDirectory {
        do {
            let place = absolute(path)
            let opened = try open(inRoot: place, flags: directoryFlags)
            return CapturedSubdirectory(opened, path: place, root: root ?? self)
        } catch {
            throw refusal(.open, path, error)
        }
    }

    /// The answer to what could not be opened: the captured host's own, where it refused, and not that of the link which
    /// stands for it here and leads nowhere. An absent file that was asked for by its name alone costs nothing more.
    private func refusal(_ request: HostAccessError.Request, _ path: String, _ error: SystemCallError)
        -> HostAccessError
    {
        if error.errno == .noSuchFileOrDirectory, error.call == "openat2" || !Self.isPlainName(path) {
            do {
                if let refusal = CapturedRefusal(linkTarget: try link(path)) {
                    return refusal.error(request, absolute(path))
                }
            } catch {}
        }
        return HostAccessError(request, absolute(path), errno: error.errno)
    }

    /// Opens below this directory, within the capture: the path is walked from the capture's top.
    private func open(_ path: String, flags: CInt) throws(SystemCallError) -> OwnedDescriptor {
        try open(inRoot: absolute(path), flags: flags)
    }

    private func open(inRoot: String, flags: CInt) throws(SystemCallError) -> OwnedDescriptor {
        guard let root else { return try descriptor.openInRoot(inRoot, flags: flags) }
        return try root.descriptor.openInRoot(inRoot, flags: flags)
    }

    /// Opens a file to read it, once it is known for a regular one: to open a device could start something.
    ///
    /// A single name that is no link cannot lead anywhere else, and fstatat(2) and openat(2) of it are a third of the cost of
    /// the walk: they are tried first.
    private func openFile(_ path: String) throws(FileReadError) -> OwnedDescriptor {
        do throws(SystemCallError) {
            var kind = Self.isPlainName(path) ? try descriptor.kind(of: path) : .link
            let isPlainFile = kind == .regular
            if kind == .link { kind = try open(path, flags: placeFlags).kind(subject: path) }
            if kind == .regular {
                return isPlainFile
                    ? try descriptor.open(path, flags: readingFlags | O_NOFOLLOW) : try open(path, flags: readingFlags)
            }
        } catch {
            throw .system(error)
        }
        throw .notRegular
    }

    private func absolute(_ path: String) -> String {
        var place = ""
        place.reserveCapacity(ownPath.utf8.count + 1 + path.utf8.count)
        place += ownPath
        if path.utf8.first != UInt8(ascii: "/") { place += "/" }
        place += path
        return place
    }

    private static func isPlainName(_ path: String) -> Bool {
        let bytes = path.utf8.span
        for index in bytes.indices where bytes[index] == UInt8(ascii: "/") { return false }
        return !path.isEmpty && path != "." && path != ".."
    }
}

internal import Glibc
public import HostAccess
internal import LinuxIO
public import Netlink

/// The machine this process runs on.
///
/// Every path is the kernel's own; opening a directory gives an open descriptor to look and write through, so that what
/// was looked at stays what is written to.
public struct LiveHost: HostAccess {
    /// Nothing is opened before something is asked.
    public init() {}

    private func root() throws(HostAccessError) -> LiveDirectory {
        do {
            return LiveDirectory(try OwnedDescriptor.open("/", flags: directoryFlags))
        } catch {
            throw HostAccessError(.open, "/", errno: error.errno)
        }
    }

    /// "/".
    public var path: String { "/" }

    /// The whole content of a file: openat(2), read(2) to its end.
    public func read(_ path: String, limit: Int) throws(HostAccessError) -> [UInt8] {
        try root().read(path, limit: limit)
    }

    /// The same into an array whose storage is used again; false when there is no such file.
    public func read(_ path: String, limit: Int, into content: inout [UInt8]) throws(HostAccessError) -> Bool {
        try root().read(path, limit: limit, into: &content)
    }

    /// The first bytes of a file: openat(2), one pread(2).
    public func readStart(_ path: String, count: Int) throws(HostAccessError) -> [UInt8] {
        try root().readStart(path, count: count)
    }

    /// The target of a symbolic link: readlinkat(2).
    public func readLink(_ path: String) throws(HostAccessError) -> String { try root().readLink(path) }

    /// The names in a directory: getdents64(2).
    public func entries(_ path: String) throws(HostAccessError) -> [String] { try root().entries(path) }

    /// The last component of a link's target.
    public func linkName(_ path: String) -> String? {
        do { return try root().linkName(path) } catch { return nil }
    }

    /// Whether something is there: faccessat(2).
    public func exists(_ path: String) -> Bool {
        do { return try root().exists(path) } catch { return false }
    }

    /// Whether this process may open a file to read and write it: faccessat(2).
    public func mayOpen(_ path: String) -> Bool? {
        do { return try root().mayOpen(path) } catch { return nil }
    }

    /// Who may open a file: fstatat(2).
    public func permissions(of path: String) -> NodePermissions? {
        do { return try root().permissions(of: path) } catch { return nil }
    }

    /// Writes `value` in one write(2); `BlockingWrites` says which files are written by a child process, so that a write
    /// that never returns does not take this process with it.
    public func write(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError) {
        try root().write(value, to: path, timeLimit: timeLimit)
    }

    /// Opens a directory, to look and write through.
    public func directory(_ path: String) throws(HostAccessError) -> any HostDirectory { try root().directory(path) }

    /// Loads a module and what it depends on, through libkmod.
    public func loadModule(_ name: String) throws(HostAccessError) { try KernelModules().load(name) }

    /// The modules that claim a device: libkmod's look-up of the alias. Where libkmod is not installed, `modules.alias` is
    /// read instead, which holds the same.
    public func modules(claiming alias: String) throws(HostAccessError) -> [String] {
        do {
            return try KernelModules().claiming(alias)
        } catch {
            guard case .unavailable = error.code else { throw error }
            let release = try text("/proc/sys/kernel/osrelease")
            let aliases = try read("/lib/modules/\(release)/modules.alias", limit: 64 << 20)
            return ModuleAliases(claiming: alias, in: aliases).modules
        }
    }

    /// Everything of a kind that the kernel lists over a NETLINK_ROUTE socket, in the network namespace of this thread. Asked
    /// anew while it changes in the middle; bounded in size and time.
    public func netlinkDump(_ dump: NetlinkDump) throws(HostAccessError) -> [UInt8] { try NetlinkDumps.bytes(of: dump) }

    /// Replaces a file of our own: a new file beside it (O_EXCL, 0644), written and synced, then rename(2).
    public func replaceFile(_ path: String, with content: [UInt8]) throws(HostAccessError) {
        try OwnFiles.replace(path, with: content)
    }

    /// Removes a file of our own: unlink(2).
    public func removeFile(_ path: String) throws(HostAccessError) { try OwnFiles.remove(path) }

    /// Takes a lock file for this process: flock(2), with pid and command in it for whoever finds it taken.
    public func lock(_ path: String) throws(HostAccessError) -> any HostLock { try LockFile(path) }

    /// Sleeps: nanosleep(2), to the end even if signals come in between.
    public func pause(_ duration: Duration) {
        let (seconds, attoseconds) = max(duration, .zero).components
        var left = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        var interrupted = timespec()
        while unsafe nanosleep(&left, &interrupted) != 0 { left = interrupted }
    }
}

public import Netlink
internal import SystemPackage

/// A directory of a host, and everything below it: read, and written to, by relative paths.
///
/// For a live host this is an open descriptor, so that what was looked at and what is written to are the same device even
/// if another one takes its address in between.
public protocol HostDirectory: Sendable {
    /// The path from the host's root, for messages: `/sys/bus/pci/devices/0000:01:00.0`.
    var path: String { get }

    /// The whole content of a file, at most `limit` bytes (longer is an error, never a cut).
    func read(_ path: String, limit: Int) throws(HostAccessError) -> [UInt8]

    /// The same into an array whose storage is used again, for who reads a few attributes of thousands of devices.
    ///
    /// - Returns: false when there is no such file, which is an answer here and no error; `content` is empty then.
    func read(_ path: String, limit: Int, into content: inout [UInt8]) throws(HostAccessError) -> Bool

    /// The first `count` bytes of a file, or all of it when it is shorter, asking the kernel for no more: some files
    /// (`vpd`) are slow to read to their end.
    func readStart(_ path: String, count: Int) throws(HostAccessError) -> [UInt8]

    /// The target of a symbolic link, as it is written there.
    func readLink(_ path: String) throws(HostAccessError) -> String

    /// The last component of a link's target: the name of the driver, the group's number. Nil when there is no link.
    func linkName(_ path: String) -> String?

    /// The names in a directory, without "." and "..", in no particular order.
    func entries(_ path: String) throws(HostAccessError) -> [String]

    /// Whether something is there, links followed: a dangling link is not.
    func exists(_ path: String) -> Bool

    /// Whether this process may open a file to read and write it, found without opening it. Nil where that cannot be
    /// told: in a capture, or when nothing is there.
    func mayOpen(_ path: String) -> Bool?

    /// Who may open what is at `path`, links followed: mode, owner and group. Nil where that cannot be told: in a capture,
    /// or when nothing is there.
    func permissions(of path: String) -> NodePermissions?

    /// Writes `value` in a single write(2), as sysfs and procfs want it, and gives up after `timeLimit`: the error then
    /// says `.stillPending`.
    func write(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError)

    /// Opens a directory below this one, to look and write through.
    func directory(_ path: String) throws(HostAccessError) -> any HostDirectory
}

/// Everything that is ever asked of a host. The live machine, a captured directory and the simulated kernel stand behind
/// it; nothing above asks which one it talks to.
///
/// Paths are those of the host's root: `/sys/bus/pci/devices`.
public protocol HostAccess: HostDirectory {
    /// Loads a kernel module and what it depends on, as `modprobe NAME` does. A module that is loaded already is success.
    func loadModule(_ name: String) throws(HostAccessError)

    /// The modules that say they drive what has this `modalias`, loaded or not, in no particular order. None is an empty
    /// answer; an error says that the host does not tell.
    func modules(claiming alias: String) throws(HostAccessError) -> [String]

    /// The raw messages of one netlink dump, up to and with the one that ends it: `Dumped` reads them.
    func netlinkDump(_ dump: NetlinkDump) throws(HostAccessError) -> [UInt8]

    /// Replaces a file of our own (the journal, never sysfs) in one step: written beside it, then renamed into place.
    /// Missing directories on the way are made, 0755.
    func replaceFile(_ path: String, with content: [UInt8]) throws(HostAccessError)

    /// Removes a file of our own; one that is not there is success.
    func removeFile(_ path: String) throws(HostAccessError)

    /// Takes the lock file at `path` for this process, without waiting, until the returned value goes.
    func lock(_ path: String) throws(HostAccessError) -> any HostLock

    /// What is written on a disk or partition (`nvme0n1p2`), read from it; nil when it begins with nothing known. It may
    /// wake a disk that sleeps: asked only about disks that somebody wants to give away.
    func content(ofBlockDevice name: String) throws(HostAccessError) -> DiskContent?

    /// Lets a short time pass while something is awaited. The simulated kernel turns its own clock instead.
    func pause(_ duration: Duration)
}

extension HostAccess {
    /// What a capture has in `/disk-contents/NAME`: the content's type, and its label behind a space. A capture keeps the
    /// answer, never what is on a disk.
    public func content(ofBlockDevice name: String) throws(HostAccessError) -> DiskContent? {
        let words = try text("/disk-contents/" + name).split(separator: " ", maxSplits: 1).map(String.init)
        return words.first.map { DiskContent(type: $0, label: words.count > 1 ? words[1] : nil) }
    }
}

/// A lock held on a host; released when the last reference goes.
public protocol HostLock: AnyObject, Sendable {}

extension HostAccess {
    /// What a capture keeps of the dump, as the file `/netlink/link` (address, route) of its tree.
    public func netlinkDump(_ dump: NetlinkDump) throws(HostAccessError) -> [UInt8] {
        try read("/netlink/" + dump.rawValue, limit: 64 << 20)
    }
}

extension HostDirectory {
    /// The largest attribute that sysfs gives is a page; /proc/interrupts on a large host is some hundred KiB.
    public static var ordinaryLimit: Int { 1 << 20 }

    /// The whole content of a file.
    public func read(_ path: String) throws(HostAccessError) -> [UInt8] {
        try read(path, limit: Self.ordinaryLimit)
    }

    /// The whole content of a file into an array; false when there is no such file.
    public func read(_ path: String, limit: Int, into content: inout [UInt8]) throws(HostAccessError) -> Bool {
        content.removeAll(keepingCapacity: true)
        do {
            content = try read(path, limit: limit)
            return true
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return false
        }
    }

    /// Reads the whole file, and gives its first bytes.
    public func readStart(_ path: String, count: Int) throws(HostAccessError) -> [UInt8] {
        Array(try read(path).prefix(count))
    }

    /// The content of a text attribute without the white space around it. Bytes that are no UTF-8 become U+FFFD.
    public func text(_ path: String) throws(HostAccessError) -> String {
        trimmed(try read(path))
    }

    /// The content of a text attribute, or nil when it cannot be read.
    public func optionalText(_ path: String) -> String? {
        do { return try text(path) } catch { return nil }
    }

    /// Not known.
    public func mayOpen(_ path: String) -> Bool? { nil }

    /// The last component of a link's target.
    public func linkName(_ path: String) -> String? {
        do {
            let target = try readLink(path).utf8
            guard let slash = target.lastIndex(of: UInt8(ascii: "/")) else { return String(target) }
            return String(Substring(target[target.index(after: slash)...]))
        } catch {
            return nil
        }
    }
}

extension HostAccess {
    /// Looks through the host's own `/lib/modules/RELEASE/modules.alias`, RELEASE being that of the running kernel.
    public func modules(claiming alias: String) throws(HostAccessError) -> [String] {
        let release = try text("/proc/sys/kernel/osrelease")
        let aliases = try read("/lib/modules/\(release)/modules.alias", limit: 64 << 20)
        return ModuleAliases(claiming: alias, in: aliases).modules
    }
}

/// `bytes` as text, without white space (and NUL) at either end.
public func trimmed(_ bytes: [UInt8]) -> String {
    let isSpace = { (byte: UInt8) in byte <= 0x20 }
    guard let first = bytes.firstIndex(where: { !isSpace($0) }),
        let last = bytes.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(decoding: bytes[first...last], as: UTF8.self)
}

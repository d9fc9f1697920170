public import HostAccess
public import Netlink
internal import Synchronization
internal import SystemPackage

/// A host that hands every question on to another one and keeps the answers.
///
/// Each question is asked once: who asks again gets the first answer, also of a file that changes all the time. So what was
/// decided from the answers is what is decided from the capture that they make. Nothing is ever changed through it.
public final class RecordingHost: HostAccess {
    private let host: any HostAccess
    private let recording = Mutex(Recording())

    /// Begins to record.
    ///
    /// - Parameter host: who answers.
    public init(_ host: any HostAccess) { self.host = host }

    /// What was answered so far, as files, directories and links.
    public func tree() -> CaptureTree { recording.withLock { $0.tree(asking: host) } }

    // MARK: HostDirectory

    /// "/".
    public var path: String { "/" }

    /// The content of a file, as it was when it was first read.
    public func read(_ path: String, limit: Int) throws(HostAccessError) -> [UInt8] {
        try read(path, limit: limit, in: host, at: "")
    }

    /// The target of a link, as it was when it was first read.
    public func readLink(_ path: String) throws(HostAccessError) -> String { try readLink(path, in: host, at: "") }

    /// The names in a directory, as they were when it was first listed.
    public func entries(_ path: String) throws(HostAccessError) -> [String] { try entries(path, in: host, at: "") }

    /// Whether something is there.
    public func exists(_ path: String) -> Bool { exists(path, in: host, at: "") }

    /// Handed on, and not kept: it is an answer to this process alone.
    public func mayOpen(_ path: String) -> Bool? { host.mayOpen(path) }

    /// Handed on, and not kept.
    public func permissions(of path: String) -> NodePermissions? { host.permissions(of: path) }

    /// What a file begins with, as it was when it was first read.
    public func readStart(_ path: String, count: Int) throws(HostAccessError) -> [UInt8] {
        try readStart(path, count: count, in: host, at: "")
    }

    /// Opens a directory; what is asked of it is kept as well.
    public func directory(_ path: String) throws(HostAccessError) -> any HostDirectory {
        try directory(path, in: host, at: "", absolute: path)
    }

    // MARK: questions that are no files

    /// A netlink dump, kept as the file that every other host reads it from.
    public func netlinkDump(_ dump: NetlinkDump) throws(HostAccessError) -> [UInt8] {
        try keepAnswer("/netlink/" + dump.rawValue) { () throws(HostAccessError) in try host.netlinkDump(dump) }
    }

    /// What is written on a disk, kept as its type and label.
    public func content(ofBlockDevice name: String) throws(HostAccessError) -> DiskContent? {
        var known: DiskContent?
        let answer = try keepAnswer("/disk-contents/" + name) { () throws(HostAccessError) in
            known = try host.content(ofBlockDevice: name)
            return known.map { Array(($0.type + ($0.label.map { " " + $0 } ?? "") + "\n").utf8) } ?? []
        }
        let words = trimmed(answer).split(separator: " ", maxSplits: 1).map(String.init)
        return words.first.map { DiskContent(type: $0, label: words.count > 1 ? words[1] : nil) }
    }

    /// The modules that claim a device, kept as lines of `modules.alias`.
    public func modules(claiming alias: String) throws(HostAccessError) -> [String] {
        if let known = recording.withLock({ $0.modules[alias] }) { return known }
        // The file that the answers are kept in has the kernel's release in its path.
        _ = optionalText("/proc/sys/kernel/osrelease")
        let modules = try host.modules(claiming: alias)
        recording.withLock { $0.modules[alias] = modules }
        return modules
    }

    private func keepAnswer(_ place: String, _ ask: () throws(HostAccessError) -> [UInt8]) throws(HostAccessError)
        -> [UInt8]
    {
        if let known = recording.withLock({ $0.files[place] }) { return known }
        try throwKnownRefusal(.read, place)
        do throws(HostAccessError) {
            let answer = try ask()
            recording.withLock { $0.files[place] = answer }
            return answer
        } catch {
            keep(error, place)
            throw error
        }
    }

    // MARK: what is asked of a directory

    // `directory` is who answers, `base` the directory's canonical path, "" for the host's root.

    fileprivate func read(_ path: String, limit: Int, in directory: any HostDirectory, at base: String)
        throws(HostAccessError) -> [UInt8]
    {
        let place = place(of: path, from: base)
        if let place, let content = recording.withLock({ $0.files[place] }) {
            guard content.count <= limit else {
                throw HostAccessError(.read, place, code: .unreadable, errno: .fileTooLarge)
            }
            return content
        }
        try throwKnownRefusal(.read, place)
        do throws(HostAccessError) {
            let content = try directory.read(path, limit: limit)
            if let place { recording.withLock { $0.files[place] = content } }
            return content
        } catch {
            keep(error, place)
            throw error
        }
    }

    fileprivate func readStart(_ path: String, count: Int, in directory: any HostDirectory, at base: String)
        throws(HostAccessError) -> [UInt8]
    {
        let place = place(of: path, from: base)
        if let place, let known = recording.withLock({ $0.files[place] ?? $0.beginnings[place] }) {
            return Array(known.prefix(count))
        }
        try throwKnownRefusal(.read, place)
        do throws(HostAccessError) {
            let content = try directory.readStart(path, count: count)
            if let place { recording.withLock { $0.beginnings[place] = content } }
            return content
        } catch {
            keep(error, place)
            throw error
        }
    }

    fileprivate func readLink(_ path: String, in directory: any HostDirectory, at base: String)
        throws(HostAccessError) -> String
    {
        guard let place = place(of: path, from: base, followLast: false) else { return try directory.readLink(path) }
        return try target(of: place, absolute: place)
    }

    fileprivate func entries(_ path: String, in directory: any HostDirectory, at base: String)
        throws(HostAccessError) -> [String]
    {
        let place = place(of: path, from: base)
        if let place, let names = recording.withLock({ $0.listings[place] }) { return names }
        try throwKnownRefusal(.list, place)
        do throws(HostAccessError) {
            let names = try directory.entries(path)
            if let place { recording.withLock { $0.listings[place] = names } }
            return names
        } catch {
            keep(error, place)
            throw error
        }
    }

    fileprivate func exists(_ path: String, in directory: any HostDirectory, at base: String) -> Bool {
        let place = place(of: path, from: base)
        if let place, let known = recording.withLock({ $0.existence(of: place) }) { return known }
        let exists = directory.exists(path)
        if exists, let place {
            var isDirectory = false
            do {
                _ = try host.directory(place)
                isDirectory = true
            } catch {}
            recording.withLock { _ = isDirectory ? $0.directories.insert(place) : $0.present.insert(place) }
        }
        return exists
    }

    fileprivate func directory(_ path: String, in directory: any HostDirectory, at base: String, absolute: String)
        throws(HostAccessError) -> any HostDirectory
    {
        let place = place(of: path, from: base)
        try throwKnownRefusal(.open, place)
        do throws(HostAccessError) {
            let opened = try directory.directory(path)
            guard let place else { return opened }
            recording.withLock { _ = $0.directories.insert(place) }
            return RecordingDirectory(opened, of: self, at: place, path: absolute)
        } catch {
            keep(error, place)
            throw error
        }
    }

    private func keep(_ error: HostAccessError, _ place: String?) {
        // What is not there leaves no trace in a capture, and so it is not there either.
        guard let place, ![.noSuchFileOrDirectory, .notDirectory].contains(error.errno) else { return }
        recording.withLock { $0.refusals[place] = CapturedRefusal(error) }
    }

    private func throwKnownRefusal(_ request: HostAccessError.Request, _ place: String?) throws(HostAccessError) {
        guard let place, let refusal = recording.withLock({ $0.refusals[place] }) else { return }
        throw refusal.error(request, place)
    }

    // MARK: places

    /// As many links as the kernel follows on one path.
    private static let mostLinks = 40

    /// The canonical path of what `path` leads to, every link on the way asked for, and kept; nil where it leads nowhere.
    private func place(of path: String, from base: String, followLast: Bool = true) -> String? {
        var current = path.utf8.first == UInt8(ascii: "/") ? "" : base
        var rest = Self.components(path)
        var links = 0
        while let name = rest.popLast() {
            if name == ".." {
                current = Self.parent(of: current)
                continue
            }
            let next = current + "/" + name
            guard followLast || !rest.isEmpty else { return next }
            if Self.isMagic(next) {
                current = next
                continue
            }
            do {
                let target = try target(of: next, absolute: next)
                links += 1
                guard links <= Self.mostLinks else { return nil }
                if target.utf8.first == UInt8(ascii: "/") { current = "" }
                rest += Self.components(target)
            } catch {
                switch error.errno {
                case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels: return nil
                // No link; or nobody may look, and then nothing below it is seen either.
                default: current = next
                }
            }
        }
        return current
    }

    /// Whether something looks like a link and leads where no path does: into what another process sees. In a capture it is
    /// a directory of its own.
    private static func isMagic(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        return parts.count == 3 && parts[0] == "proc" && ["root", "cwd", "exe"].contains(parts[2])
    }

    /// The target of the link at a canonical path.
    private func target(of place: String, absolute: String) throws(HostAccessError) -> String {
        if let known = recording.withLock({ $0.links[place] }) {
            switch known {
            case .link(let target): return target
            case .none(let errno): throw HostAccessError(.readLink, absolute, errno: errno)
            }
        }
        do throws(HostAccessError) {
            let target = try host.readLink(place)
            recording.withLock { $0.links[place] = .link(target) }
            return target
        } catch {
            recording.withLock { $0.links[place] = .none(error.errno) }
            throw error
        }
    }

    /// The components of a path, last first, "." and empty ones left out.
    private static func components(_ path: String) -> [String] {
        path.split(separator: "/").filter { $0 != "." }.reversed().map(String.init)
    }

    private static func parent(of path: String) -> String {
        path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? ""
    }

    // MARK: changes

    private func refused(_ request: HostAccessError.Request, _ path: String) -> HostAccessError {
        HostAccessError(request, path, errno: .readOnlyFileSystem)
    }

    /// Refused with EROFS, like every change: who captures a host only looks at it.
    public func write(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError) {
        throw HostAccessError(.write, path, value: value, errno: .readOnlyFileSystem)
    }

    /// Refused with EROFS.
    public func loadModule(_ name: String) throws(HostAccessError) { throw refused(.loadModule, name) }

    /// Refused with EROFS.
    public func replaceFile(_ path: String, with content: [UInt8]) throws(HostAccessError) {
        throw refused(.write, path)
    }

    /// Refused with EROFS.
    public func removeFile(_ path: String) throws(HostAccessError) { throw refused(.remove, path) }

    /// Refused with EROFS.
    public func lock(_ path: String) throws(HostAccessError) -> any HostLock { throw refused(.lock, path) }

    /// Handed on.
    public func pause(_ duration: Duration) { host.pause(duration) }
}

/// A directory of a host that is recorded.
private final class RecordingDirectory: HostDirectory {
    private let directory: any HostDirectory
    private let host: RecordingHost
    private let place: String
    let path: String

    init(_ directory: any HostDirectory, of host: RecordingHost, at place: String, path: String) {
        self.directory = directory
        self.host = host
        self.place = place
        self.path = path
    }

    func read(_ path: String, limit: Int) throws(HostAccessError) -> [UInt8] {
        try host.read(path, limit: limit, in: directory, at: place)
    }

    func readLink(_ path: String) throws(HostAccessError) -> String {
        try host.readLink(path, in: directory, at: place)
    }

    func entries(_ path: String) throws(HostAccessError) -> [String] {
        try host.entries(path, in: directory, at: place)
    }

    func exists(_ path: String) -> Bool { host.exists(path, in: directory, at: place) }

    func readStart(_ path: String, count: Int) throws(HostAccessError) -> [UInt8] {
        try host.readStart(path, count: count, in: directory, at: place)
    }

    func mayOpen(_ path: String) -> Bool? { directory.mayOpen(path) }

    func permissions(of path: String) -> NodePermissions? { directory.permissions(of: path) }

    func write(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError) {
        try host.write(value, to: self.path + "/" + path, timeLimit: timeLimit)
    }

    func directory(_ path: String) throws(HostAccessError) -> any HostDirectory {
        try host.directory(path, in: directory, at: place, absolute: self.path + "/" + path)
    }
}

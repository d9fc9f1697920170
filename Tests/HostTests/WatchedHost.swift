internal import HostAccess
internal import Synchronization

/// A host that remembers which files were asked for, and fails the test's promise when anything is changed through it.
final class WatchedHost: HostAccess {
    private let host: any HostAccess
    private let asked = Mutex<[String]>([])

    init(_ host: any HostAccess) { self.host = host }

    /// The paths that were read, in order, and "changed …" for every attempt to change something.
    var questions: [String] { asked.withLock { $0 } }

    fileprivate func note(_ question: String) { asked.withLock { $0.append(question) } }

    var path: String { host.path }

    func read(_ path: String, limit: Int) throws(HostAccessError) -> [UInt8] {
        note(path)
        return try host.read(path, limit: limit)
    }

    func readLink(_ path: String) throws(HostAccessError) -> String { try host.readLink(path) }
    func entries(_ path: String) throws(HostAccessError) -> [String] { try host.entries(path) }
    func exists(_ path: String) -> Bool { host.exists(path) }

    func directory(_ path: String) throws(HostAccessError) -> any HostDirectory {
        WatchedDirectory(try host.directory(path), of: self)
    }

    func write(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError) {
        note("changed \(path)")
    }

    func loadModule(_ name: String) throws(HostAccessError) { note("changed module \(name)") }
    func replaceFile(_ path: String, with content: [UInt8]) throws(HostAccessError) { note("changed \(path)") }
    func removeFile(_ path: String) throws(HostAccessError) { note("changed \(path)") }
    func lock(_ path: String) throws(HostAccessError) -> any HostLock { try host.lock(path) }
    func pause(_ duration: Duration) {}
}

/// A directory of a watched host.
private struct WatchedDirectory: HostDirectory {
    private let directory: any HostDirectory
    private let host: WatchedHost

    init(_ directory: any HostDirectory, of host: WatchedHost) {
        self.directory = directory
        self.host = host
    }

    var path: String { directory.path }

    func read(_ path: String, limit: Int) throws(HostAccessError) -> [UInt8] {
        host.note(directory.path + "/" + path)
        return try directory.read(path, limit: limit)
    }

    func readLink(_ path: String) throws(HostAccessError) -> String { try directory.readLink(path) }
    func entries(_ path: String) throws(HostAccessError) -> [String] { try directory.entries(path) }
    func exists(_ path: String) -> Bool { directory.exists(path) }

    func directory(_ path: String) throws(HostAccessError) -> any HostDirectory {
        WatchedDirectory(try directory.directory(path), of: host)
    }

    func write(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError) {
        host.note("changed \(directory.path)/\(path)")
    }
}

internal import HostAccess
internal import SystemPackage

/// A captured host whose nodes have permissions, as only a live one has, and where some files may not be looked at.
struct PermissionedHost: HostAccess {
    var base: CapturedDirectory
    var permissions: [String: NodePermissions] = [:]
    var mayOpen: [String: Bool] = [:]
    var forbidden: Set<String> = []

    var path: String { base.path }

    private func look(_ path: String) throws(HostAccessError) {
        if forbidden.contains(path) { throw HostAccessError(.read, path, errno: .permissionDenied) }
    }

    func permissions(of path: String) -> NodePermissions? { permissions[path] }
    func mayOpen(_ path: String) -> Bool? { mayOpen[path] }

    func read(_ path: String, limit: Int) throws(HostAccessError) -> [UInt8] {
        try look(path)
        return try base.read(path, limit: limit)
    }

    func entries(_ path: String) throws(HostAccessError) -> [String] {
        try look(path)
        return try base.entries(path)
    }

    func readLink(_ path: String) throws(HostAccessError) -> String { try base.readLink(path) }
    func exists(_ path: String) -> Bool { base.exists(path) }
    func directory(_ path: String) throws(HostAccessError) -> any HostDirectory { try base.directory(path) }
    func write(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError) {
        try base.write(value, to: path, timeLimit: timeLimit)
    }
    func loadModule(_ name: String) throws(HostAccessError) { try base.loadModule(name) }
    func replaceFile(_ path: String, with content: [UInt8]) throws(HostAccessError) {
        try base.replaceFile(path, with: content)
    }
    func removeFile(_ path: String) throws(HostAccessError) { try base.removeFile(path) }
    func lock(_ path: String) throws(HostAccessError) -> any HostLock { try base.lock(path) }
    func pause(_ duration: Duration) { base.pause(duration) }
}

public import HostAccess
internal import Synchronization
internal import SystemPackage

/// A host that exists in memory alone: loaded from a capture, it answers reads from it and behaves as the kernel does at
/// each write. For tests, and for asking what a change would do to a host that is elsewhere.
///
/// It does what the journey of a device from its driver to a guest and back writes: `driver_override`, `bind`, `unbind`,
/// `drivers_probe`, `sriov_numvfs`, `sriov_drivers_autoprobe`, `smp_affinity_list`, and loading of vfio-pci or pci-stub.
/// A write to anything else is refused with EACCES.
public final class SimulatedHost: HostAccess {
    private struct State {
        var kernel: SimulatedKernel
        var faults: [Fault] = []
        var lockHolder: String?
        var clock = Duration.zero
    }

    private let state: Mutex<State>

    /// Always "/": a host's root.
    public var path: String { "/" }

    /// Loads a capture whole into memory.
    ///
    /// - Parameters:
    ///   - capture: what to load; nothing is written to it.
    ///   - modules: kernel modules that can be loaded.
    public init(loading capture: any HostDirectory, modules: Set<String> = ["vfio-pci", "pci-stub"])
        throws(HostAccessError)
    {
        var tree = VirtualTree()
        try Self.load(capture, "", depth: 0, into: &tree)
        state = Mutex(State(kernel: SimulatedKernel(tree: tree, modules: modules)))
    }

    /// Makes a host of files and links given by canonical path: for small tests.
    public init(files: [String: String], links: [String: String], modules: Set<String> = ["vfio-pci", "pci-stub"]) {
        var tree = VirtualTree()
        for (path, text) in files { tree.put(text, at: path) }
        for (path, target) in links { tree.link(path, to: target) }
        state = Mutex(State(kernel: SimulatedKernel(tree: tree, modules: modules)))
    }

    private static let deepest = 64

    private static func load(_ capture: any HostDirectory, _ path: String, depth: Int, into tree: inout VirtualTree)
        throws(HostAccessError)
    {
        guard depth < deepest else { throw HostAccessError(.list, path, errno: .tooManySymbolicLinkLevels) }
        for name in try capture.entries(path.isEmpty ? "/" : path) {
            let child = path + "/" + name
            do throws(HostAccessError) {
                tree.put(.link(try capture.readLink(child)), at: child)
                continue
            } catch {}
            do throws(HostAccessError) {
                tree.put(.file(try capture.read(child)), at: child)
            } catch {
                if error.errno == .isDirectory || error.code == .unreadable {
                    tree.put(.directory([]), at: child)
                    try load(capture, child, depth: depth + 1, into: &tree)
                } else if error.errno != .permissionDenied {
                    throw error
                }
            }
        }
    }

    // MARK: faults

    /// What goes wrong at a write.
    public struct Fault: Sendable {
        /// Writes to a path with this ending fail.
        public var pathSuffix: String
        /// How many of them, counted from the first one after `skipping`.
        public var times: Int
        /// How many succeed before.
        public var skipping: Int
        /// The kernel's answer; nil for a write that never returns.
        public var errno: Int32?

        /// Makes a fault.
        public init(pathSuffix: String, errno: Int32?, skipping: Int = 0, times: Int = 1) {
            self.pathSuffix = pathSuffix
            self.errno = errno
            self.skipping = skipping
            self.times = times
        }
    }

    /// Makes later writes fail.
    public func inject(_ fault: Fault) { state.withLock { $0.faults.append(fault) } }

    /// Gives a device other interrupt numbers, as a driver does that allocates its vectors anew.
    ///
    /// - Parameters:
    ///   - device: its full address.
    ///   - numbers: the new numbers, a vector each.
    ///   - affinity: the CPUs of each, as a list.
    public func replaceInterrupts(of device: String, with numbers: [Int], affinity: String) {
        state.withLock { $0.kernel.replaceInterrupts(of: device, with: numbers, affinity: affinity) }
    }

    /// The time that was waited on this host, by its own clock.
    public var waited: Duration { state.withLock { $0.clock } }

    /// Every file by canonical path, as text: to compare a host before and after.
    public func files() -> [String: String] {
        state.withLock { state in
            state.kernel.tree.nodes.compactMapValues { node in
                switch node {
                case .directory: nil
                case .file(let bytes): String(decoding: bytes, as: UTF8.self)
                case .link(let target): "-> " + target
                }
            }
        }
    }

    /// Every node by canonical path, directories before what is in them.
    func snapshotOfNodes() -> [(path: String, node: VirtualTree.Node)] {
        state.withLock { state in
            state.kernel.tree.nodes.sorted { $0.key < $1.key }.map { (path: $0.key, node: $0.value) }
        }
    }

    // MARK: HostDirectory

    /// The content of a file of the simulated tree.
    public func read(_ path: String, limit: Int) throws(HostAccessError) -> [UInt8] {
        try read(path, from: "", limit: limit)
    }

    /// The target of a link, as it is in the tree.
    public func readLink(_ path: String) throws(HostAccessError) -> String { try readLink(path, from: "") }

    /// The names in a directory, in no particular order.
    public func entries(_ path: String) throws(HostAccessError) -> [String] { try entries(path, from: "") }

    /// Whether something is there, links followed.
    public func exists(_ path: String) -> Bool { exists(path, from: "") }

    /// Does what the kernel does at this write, or answers the errno it would.
    public func write(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError) {
        try write(value, to: path, from: "", timeLimit: timeLimit)
    }

    /// A directory of the simulated tree.
    public func directory(_ path: String) throws(HostAccessError) -> any HostDirectory {
        SimulatedDirectory(host: self, path: try canonicalDirectory(path, from: ""))
    }

    // MARK: HostAccess

    /// Makes a loadable module's driver appear on the bus; ENOENT for a module that is not loadable.
    public func loadModule(_ name: String) throws(HostAccessError) {
        try attempt(.loadModule, name) { state throws(Errno) in try state.kernel.load(name) }
    }

    /// Replaces a file of the tree.
    public func replaceFile(_ path: String, with content: [UInt8]) throws(HostAccessError) {
        try attempt(.write, path) { state throws(Errno) in
            try Self.fail(state: &state, at: path)
            state.kernel.tree.put(.file(content), at: path)
        }
    }

    /// Removes a file of the tree; one that is not there is success.
    public func removeFile(_ path: String) throws(HostAccessError) {
        try attempt(.remove, path) { state throws(Errno) in
            try Self.fail(state: &state, at: path)
            if state.kernel.tree[path] != nil { state.kernel.tree.remove(path) }
        }
    }

    /// Takes the one lock of the simulated host.
    public func lock(_ path: String) throws(HostAccessError) -> any HostLock {
        let holder = state.withLock { state in
            defer { state.lockHolder = state.lockHolder ?? "this process" }
            return state.lockHolder
        }
        if let holder {
            throw HostAccessError(.lock, path, code: .locked(holder: holder), errno: .resourceTemporarilyUnavailable)
        }
        return SimulatedLock(host: self)
    }

    fileprivate func unlock() { state.withLock { $0.lockHolder = nil } }

    /// Turns the simulated clock on: nobody waits.
    public func pause(_ duration: Duration) { state.withLock { $0.clock += duration } }

    // MARK: from a directory

    fileprivate func read(_ path: String, from base: String, limit: Int) throws(HostAccessError) -> [UInt8] {
        try attempt(.read, path) { state throws(Errno) in
            let tree = state.kernel.tree
            switch tree[try tree.canonical(path, from: base)] {
            case .file(let bytes) where bytes.count <= limit: return bytes
            case .file: throw .fileTooLarge
            default: throw .isDirectory
            }
        }
    }

    fileprivate func readLink(_ path: String, from base: String) throws(HostAccessError) -> String {
        try attempt(.readLink, path) { state throws(Errno) in
            let tree = state.kernel.tree
            guard case .link(let target) = tree[try tree.canonical(path, from: base, followLast: false)] else {
                throw .invalidArgument
            }
            return target
        }
    }

    fileprivate func entries(_ path: String, from base: String) throws(HostAccessError) -> [String] {
        try attempt(.list, path) { state throws(Errno) in
            let tree = state.kernel.tree
            guard case .directory(let names) = tree[try tree.canonical(path, from: base)] else { throw .notDirectory }
            return Array(names)
        }
    }

    fileprivate func exists(_ path: String, from base: String) -> Bool {
        state.withLock { $0.kernel.tree.exists(path, from: base) }
    }

    fileprivate func write(_ value: String, to path: String, from base: String, timeLimit: Duration)
        throws(HostAccessError)
    {
        try attempt(.write, path, value: value) { state throws(Errno) in
            let file = try state.kernel.tree.canonical(path, from: base)
            guard case .file = state.kernel.tree[file] else { throw .isDirectory }
            try Self.fail(state: &state, at: file)
            try state.kernel.write(value, to: file)
        }
    }

    fileprivate func canonicalDirectory(_ path: String, from base: String) throws(HostAccessError) -> String {
        try attempt(.open, path) { state throws(Errno) in
            let canonical = try state.kernel.tree.canonical(path, from: base)
            guard case .directory = state.kernel.tree[canonical] else { throw .notDirectory }
            return canonical
        }
    }

    private static func fail(state: inout State, at path: String) throws(Errno) {
        for index in state.faults.indices where path.hasSuffix(state.faults[index].pathSuffix) {
            if state.faults[index].skipping > 0 {
                state.faults[index].skipping -= 1
            } else if state.faults[index].times > 0 {
                state.faults[index].times -= 1
                throw state.faults[index].errno.map { Errno(rawValue: $0) } ?? .timedOut
            }
        }
    }

    private func attempt<Value: Sendable>(
        _ request: HostAccessError.Request, _ path: String, value: String? = nil,
        _ body: (inout sending State) throws(Errno) -> sending Value
    ) throws(HostAccessError) -> Value {
        do throws(Errno) {
            return try state.withLock(body)
        } catch {
            let code: HostAccessError.Code =
                switch error {
                case .timedOut: .stillPending(helper: 0)
                case .fileTooLarge: .unreadable
                default: .refused
                }
            throw HostAccessError(request, path, value: value, code: code, errno: error)
        }
    }
}

/// A directory of a simulated host. It stays the directory it was when opened: when its device goes, so does it.
private final class SimulatedDirectory: HostDirectory {
    private let host: SimulatedHost
    let path: String

    init(host: SimulatedHost, path: String) {
        self.host = host
        self.path = path
    }

    func read(_ path: String, limit: Int) throws(HostAccessError) -> [UInt8] {
        try host.read(path, from: self.path, limit: limit)
    }
    func readLink(_ path: String) throws(HostAccessError) -> String { try host.readLink(path, from: self.path) }
    func entries(_ path: String) throws(HostAccessError) -> [String] { try host.entries(path, from: self.path) }
    func exists(_ path: String) -> Bool { host.exists(path, from: self.path) }
    func write(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError) {
        try host.write(value, to: path, from: self.path, timeLimit: timeLimit)
    }
    func directory(_ path: String) throws(HostAccessError) -> any HostDirectory {
        SimulatedDirectory(host: host, path: try host.canonicalDirectory(path, from: self.path))
    }
}

private final class SimulatedLock: HostLock {
    private let host: SimulatedHost
    init(host: SimulatedHost) { self.host = host }
    deinit { host.unlock() }
}

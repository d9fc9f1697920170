internal import FoundationEssentials
public import HostAccess
internal import SystemPackage

/// What is remembered of changes, on the host itself and outside our process: the state before the first change of each
/// device, and the change that is under way.
///
/// Small JSON files under /run/vfioctl, each replaced whole by a rename. /run is emptied at boot, and so are bindings and
/// affinities.
public struct Journal: Sendable {
    /// Where the files lie.
    public static let directory = "/run/vfioctl"

    private let host: any HostAccess

    /// The journal of a host.
    public init(of host: any HostAccess) { self.host = host }

    // MARK: the state before

    /// The remembered state of `key`; nil when none is.
    public func origin(of key: String) throws(JournalError) -> Origin? {
        try read(Origin.self, at: originPath(key))
    }

    /// Every remembered state, by key.
    public func origins() throws(JournalError) -> [Origin] {
        let names: [String]
        do throws(HostAccessError) {
            names = try host.entries(Self.directory + "/origins")
        } catch {
            if error.errno == .noSuchFileOrDirectory { return [] }
            throw JournalError(path: error.path, reason: error.description)
        }
        var origins: [Origin] = []
        for name in names.sorted() where name.hasSuffix(".json") {
            if let origin = try read(Origin.self, at: Self.directory + "/origins/" + name) { origins.append(origin) }
        }
        return origins
    }

    /// Remembers a state. What was remembered first stays: only attributes that are not known yet are added. A record
    /// of another device at the same address is replaced.
    func remember(_ origin: Origin) throws(JournalError) {
        var merged = origin
        if let known = try self.origin(of: origin.key), known.identity == origin.identity {
            merged.values.merge(known.values) { new, first in origin.isPristine ? new : first }
            if merged == known { return }
        }
        try write(merged, to: originPath(origin.key))
    }

    /// Puts a record back as it was before a plan: nil removes it.
    func reset(_ key: String, to origin: Origin?) throws(JournalError) {
        if let origin { try write(origin, to: originPath(key)) } else { try forget(key) }
    }

    func forget(_ key: String) throws(JournalError) {
        try remove(originPath(key))
    }

    // MARK: the change under way

    /// The change that a process has begun and not ended.
    public struct Change: Hashable, Sendable, Codable {
        /// The format of this file.
        public var version = 1
        /// /proc/sys/kernel/random/boot_id when it began.
        public var bootID: String
        /// Who makes it.
        public var pid: Int32
        /// The whole plan.
        public var plan: Plan
        /// The step that is being made or undone, from 0.
        public var step: Int
        /// What is happening to it.
        public var phase: Phase
        /// What went wrong, once something did.
        public var error: String?
        /// A process that was left behind in a write that has not returned.
        public var pendingHelper: Int32?

        /// Where a change stands.
        public enum Phase: String, Hashable, Sendable, Codable {
            case doing, undoing, incomplete
        }
    }

    /// The change under way, or left incomplete; nil when there is none.
    public func change() throws(JournalError) -> Change? {
        try read(Change.self, at: Self.directory + "/change.json")
    }

    func record(_ change: Change) throws(JournalError) {
        try write(change, to: Self.directory + "/change.json")
    }

    func close() throws(JournalError) {
        try remove(Self.directory + "/change.json")
    }

    // MARK: files

    private func originPath(_ key: String) -> String { "\(Self.directory)/origins/\(key).json" }

    private func read<Value: Decodable>(_ type: Value.Type, at path: String) throws(JournalError) -> Value? {
        let bytes: [UInt8]
        do throws(HostAccessError) {
            bytes = try host.read(path)
        } catch {
            if error.errno == .noSuchFileOrDirectory { return nil }
            throw JournalError(path: path, reason: error.description)
        }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw JournalError(path: path, reason: "it is truncated, or not ours")
        }
    }

    private func write(_ value: some Encodable, to path: String) throws(JournalError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let bytes: [UInt8]
        do {
            bytes = Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
        } catch {
            throw JournalError(path: path, reason: "it could not be encoded: \(error)")
        }
        do throws(HostAccessError) {
            try host.replaceFile(path, with: bytes)
        } catch {
            throw JournalError(path: path, reason: error.description, errno: error.errno)
        }
    }

    private func remove(_ path: String) throws(JournalError) {
        do throws(HostAccessError) {
            try host.removeFile(path)
        } catch {
            throw JournalError(path: path, reason: error.description, errno: error.errno)
        }
    }
}

internal import HostAccess
internal import SystemPackage

/// A file system in memory: directories, files and links, addressed by canonical paths ("/sys/bus/pci").
struct VirtualTree {
    enum Node {
        case directory(Set<String>)
        case file([UInt8])
        case link(String)
    }

    private(set) var nodes: [String: Node] = ["": .directory([])]

    /// As many links as the kernel follows on one path.
    private static let mostLinks = 40

    // MARK: resolving

    /// The canonical path of `path` taken from `base`, every link followed (the last one too, unless `followLast` is
    /// false).
    ///
    /// - Throws: ENOENT, ENOTDIR or ELOOP, as open(2) would answer.
    func canonical(_ path: String, from base: String = "", followLast: Bool = true) throws(Errno) -> String {
        var current = path.utf8.first == UInt8(ascii: "/") ? "" : base
        var rest = Self.components(path)
        var links = 0
        while let name = rest.popLast() {
            if name == ".." {
                current = Self.parent(of: current)
                continue
            }
            guard case .directory = nodes[current] else { throw .notDirectory }
            let next = current + "/" + name
            switch nodes[next] {
            case nil:
                throw .noSuchFileOrDirectory
            case .link(let target) where followLast || !rest.isEmpty:
                if let refusal = CapturedRefusal(linkTarget: target) { throw refusal.errno }
                links += 1
                guard links <= Self.mostLinks else { throw .tooManySymbolicLinkLevels }
                if target.utf8.first == UInt8(ascii: "/") { current = "" }
                rest += Self.components(target)
            default:
                current = next
            }
        }
        return current
    }

    /// The node at a canonical path.
    subscript(canonical: String) -> Node? { nodes[canonical] }

    func exists(_ path: String, from base: String = "") -> Bool {
        do {
            _ = try canonical(path, from: base)
            return true
        } catch {
            return false
        }
    }

    /// The text of a file, without the white space around it.
    func text(_ path: String, from base: String = "") -> String? {
        do {
            guard case .file(let bytes) = nodes[try canonical(path, from: base)] else { return nil }
            return trimmed(bytes)
        } catch {
            return nil
        }
    }

    /// The last component of a link's target.
    func linkName(_ path: String, from base: String = "") -> String? {
        do {
            guard case .link(let target) = nodes[try canonical(path, from: base, followLast: false)] else { return nil }
            return Self.name(of: target)
        } catch {
            return nil
        }
    }

    /// The names in a directory, sorted.
    func entries(_ path: String, from base: String = "") -> [String] {
        do {
            guard case .directory(let names) = nodes[try canonical(path, from: base)] else { return [] }
            return names.sorted()
        } catch {
            return []
        }
    }

    // MARK: changing

    /// Puts a node at a canonical path, making the directories on the way.
    mutating func put(_ node: Node, at path: String) {
        if case .directory(let old) = nodes[path], case .directory(let new) = node {
            nodes[path] = .directory(old.union(new))
        } else {
            nodes[path] = node
        }
        var path = path
        while !path.isEmpty {
            let parent = Self.parent(of: path)
            let name = Self.name(of: path)
            if case .directory(var names) = nodes[parent] {
                guard names.insert(name).inserted else { return }
                nodes[parent] = .directory(names)
            } else {
                nodes[parent] = .directory([name])
            }
            path = parent
        }
    }

    mutating func put(_ text: String, at path: String) { put(.file(Array((text + "\n").utf8)), at: path) }

    /// Links `path` to another canonical path, relatively, as sysfs does.
    mutating func link(_ path: String, to target: String) {
        let up = Array(repeating: "..", count: Self.components(path).count - 1)
        put(.link((up + Self.components(target).reversed()).joined(separator: "/")), at: path)
    }

    /// Removes a node and everything below it.
    mutating func remove(_ path: String) {
        if case .directory(let names) = nodes[path] {
            for name in names { remove(path + "/" + name) }
        }
        nodes[path] = nil
        let parent = Self.parent(of: path)
        if case .directory(var names) = nodes[parent] {
            names.remove(Self.name(of: path))
            nodes[parent] = .directory(names)
        }
    }

    // MARK: paths

    /// The components of a path, last first, "." and empty ones left out.
    static func components(_ path: String) -> [String] {
        path.split(separator: "/").filter { $0 != "." }.reversed().map(String.init)
    }

    static func parent(of path: String) -> String {
        path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? ""
    }

    static func name(of path: String) -> String {
        path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[path.index(after: $0)...]) } ?? path
    }
}

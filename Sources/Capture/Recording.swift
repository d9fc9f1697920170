internal import HostAccess
internal import SystemPackage

/// Answers of a host, by the canonical paths that they are about.
struct Recording: Sendable {
    /// What readlink(2) answered.
    enum LinkAnswer: Hashable, Sendable {
        case link(String)
        case none(Errno)
    }

    /// The content of files.
    var files: [String: [UInt8]] = [:]
    /// What files begin with that were not read to their end.
    var beginnings: [String: [UInt8]] = [:]
    /// Modules, by the alias that they claim.
    var modules: [String: [String]] = [:]
    /// The targets of links, and what is none.
    var links: [String: LinkAnswer] = [:]
    /// The names in directories.
    var listings: [String: [String]] = [:]
    /// What would not be read, listed or opened.
    var refusals: [String: CapturedRefusal] = [:]
    /// Directories that were opened, or found to be some.
    var directories: Set<String> = []
    /// What is there and is no directory.
    var present: Set<String> = []

    /// Whether something is there, as far as the answers tell.
    func existence(of place: String) -> Bool? {
        files[place] != nil || beginnings[place] != nil || listings[place] != nil || directories.contains(place)
            || present.contains(place)
            ? true : nil
    }

    /// The answers as a tree. Of names that were listed and not asked about, the host is still asked whether they are links.
    func tree(asking host: any HostAccess) -> CaptureTree {
        let processes = ProcessFilter(self)
        var nodes: [String: CaptureTree.Node] = [:]
        // From the least that is known of a path to the most.
        for (directory, names) in listings where processes.keeps(directory) {
            nodes[directory] = .directory
            for name in processes.kept(names, in: directory) {
                let path = directory + "/" + name
                nodes[path] = node(at: path, asking: host)
            }
        }
        for (path, refusal) in refusals where processes.keeps(path) { nodes[path] = .refused(refusal) }
        for path in present where processes.keeps(path) { nodes[path] = .file([]) }
        for path in directories where processes.keeps(path) && !path.isEmpty { nodes[path] = .directory }
        for (path, answer) in links where processes.keeps(path) {
            if case .link(let target) = answer { nodes[path] = CaptureTree.link(to: target) }
        }
        for (path, content) in beginnings { nodes[path] = .file(content) }
        if !modules.isEmpty { nodes[moduleAliases.path] = .file(moduleAliases.content) }
        for (path, content) in files where processes.keeps(path) {
            let kept = SettingsFilter.kept(
                processes.kept(content, at: path), at: path, permissions: host.permissions(of: path))
            nodes[path] =
                kept.map { .file($0) }
                ?? .refused(CapturedRefusal(HostAccessError(.read, path, errno: .permissionDenied)))
        }
        nodes[""] = nil
        for path in Array(nodes.keys) { Self.makeDirectories(above: path, in: &nodes) }
        return CaptureTree(nodes)
    }

    /// The answers about modules, as depmod(8) would write them.
    private var moduleAliases: (path: String, content: [UInt8]) {
        let release = trimmed(files["/proc/sys/kernel/osrelease"] ?? [])
        let lines = modules.sorted { $0.key < $1.key }.flatMap { alias, modules in
            // An alias is a glob there, and this one stands for itself.
            let pattern = alias.map { "*?[".contains($0) ? "[\($0)]" : String($0) }.joined()
            return modules.map { "alias \(pattern) \($0)\n" }
        }
        return ("/lib/modules/\(release)/modules.alias", Array(lines.joined().utf8))
    }

    /// What something stands in is a directory, also where nobody looked at it or listing it was refused.
    private static func makeDirectories(above path: String, in nodes: inout [String: CaptureTree.Node]) {
        var path = path[...]
        while let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex {
            path = path[..<slash]
            if nodes.updateValue(.directory, forKey: String(path)) == .directory { return }
        }
    }

    private func node(at path: String, asking host: any HostAccess) -> CaptureTree.Node {
        do {
            let target = try host.readLink(path)
            return CaptureTree.link(to: target)
        } catch {
            return .unread
        }
    }
}

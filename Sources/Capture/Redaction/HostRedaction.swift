internal import HostAccess
internal import Netlink

extension HostCapture {
    /// Replaces serial numbers and world-wide names, hardware and IP addresses, and host names: each value by the same one
    /// everywhere, so that what belongs together still does.
    ///
    /// The host's own name is known while the host itself is captured, and not when a capture is copied. What is left says which hardware this is and how it is used: ids, drivers, names of interfaces, disks, volumes, mount
    /// points and processes.
    public mutating func redact() {
        tree = HostRedaction.redacted(tree, hostNames: hostNames)
        isRedacted = true
    }
}

enum HostRedaction {
    /// - Parameter hostNames: names that are known to be the host's, besides those of its servers, which are found.
    static func redacted(_ tree: CaptureTree, hostNames: [String] = []) -> CaptureTree {
        var pseudonyms = Pseudonyms()
        for name in hostNames + servers(in: tree) { pseudonyms.learn(host: name) }
        // What is learnt from a file may stand in one that comes before it.
        _ = redacted(tree, &pseudonyms)
        pseudonyms.addresses.settle()
        return redacted(tree, &pseudonyms)
    }

    private static func redacted(_ tree: CaptureTree, _ pseudonyms: inout Pseudonyms) -> CaptureTree {
        var result = CaptureTree()
        for (path, node) in tree.nodes.sorted(by: { $0.key < $1.key }) {
            let place = redacted(path: path, &pseudonyms)
            switch node {
            case .file(let content):
                // One that cannot be understood is not given away.
                result.nodes[place] = FileRedaction(content, at: path).run(&pseudonyms).map { .file($0) } ?? .unread
            case .link(let target):
                result.nodes[place] = .link(redacted(path: target, &pseudonyms))
            case .directory, .refused, .unread:
                result.nodes[place] = node
            }
        }
        return result
    }

    private static func redacted(path: String, _ pseudonyms: inout Pseudonyms) -> String {
        // The names of EFI's variables end with the UUID of who defined them, which is in every program that reads them.
        if path.hasPrefix("/sys/firmware/") { return path }
        var redaction = TextRedaction(Array(path.utf8), replacesHosts: false)
        return String(decoding: redaction.run(&pseudonyms), as: UTF8.self)
    }

    // MARK: host names

    private static func servers(in tree: CaptureTree) -> [String] {
        var names: [String] = []
        for path in tree.nodes.keys.sorted() where path.hasPrefix("/proc/") {
            if path.hasSuffix("/mountinfo") || path.hasSuffix("/mounts") { names += servers(text(tree, path)) }
        }
        names += bootServers(text(tree, "/proc/cmdline"))
        return names.filter { IPAddress($0) == nil && !$0.isEmpty }
    }

    private static func text(_ tree: CaptureTree, _ path: String) -> String {
        guard case .file(let content) = tree.nodes[path] else { return "" }
        return String(decoding: content, as: UTF8.self)
    }

    /// The servers that file systems are mounted from: `server:/export`, `//server/share`.
    private static func servers(_ table: String) -> [String] {
        table.split(separator: "\n").flatMap { line in
            line.split(separator: " ").compactMap { field -> String? in
                if field.hasPrefix("//") { return field.dropFirst(2).split(separator: "/").first.map(String.init) }
                guard let colon = field.firstRange(of: ":/"), !field.hasPrefix("/"), !field.hasPrefix("[") else {
                    return nil
                }
                // sshfs names the user as well.
                return field[..<colon.lowerBound].split(separator: "@").last.map(String.init)
            }
        }
    }

    /// The servers and the host's own name in the kernel's arguments: `nfsroot=`, `root=nfs:`, `netroot=`, and the fifth field
    /// of `ip=` (Documentation/admin-guide/nfs/nfsroot.rst).
    private static func bootServers(_ arguments: String) -> [String] {
        arguments.split(whereSeparator: \.isWhitespace).flatMap { argument -> [String] in
            guard let equals = argument.firstIndex(of: "=") else { return [] }
            let value = argument[argument.index(after: equals)...]
            let fields = value.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            switch argument[..<equals] {
            case "nfsroot": return fields.count > 1 ? [fields[0]] : []
            case "root" where ["nfs", "nfs4"].contains(fields[0]) && fields.count > 2: return [fields[1]]
            case "netroot" where fields.count > 2: return [fields[1]]
            case "ip" where fields.count > 4: return [fields[4]]
            case "hostname", "systemd.hostname": return [String(value)]
            default: return []
            }
        }
    }
}

internal import HostAccess

/// Which of the answers about processes a capture keeps: those that say something about a device, and of these never what
/// a process was called with or works on.
///
/// To find who has a device open, every open file of every process is looked at. Kept are the ones that are device nodes or
/// VFIO's, and the sockets of this process's own ancestors, from which a session's interface is found. A process of which
/// nothing is kept is left out, but for the first one, those in another mount namespace, those with memory pinned, and
/// irqbalance.
struct ProcessFilter {
    /// What is kept of a process's directory, besides its descriptors: nothing with arguments or environment in it.
    private static let files: Set<String> = [
        "cgroup", "comm", "fdinfo", "limits", "mountinfo", "mounts", "net", "ns", "root", "stat", "status",
    ]

    /// Nodes that are no device of their own.
    private static let everyones: Set<String> = [
        "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/console",
        "/dev/kmsg", "/dev/fuse",
    ]

    private let recording: Recording
    /// This process and those that it descends from, by number.
    private let ancestors: Set<String>
    /// The processes of which something is kept.
    private let involved: Set<String>

    init(_ recording: Recording) {
        self.recording = recording
        let ancestors = Self.ancestors(recording)
        var involved = ancestors
        for (path, answer) in recording.links {
            guard case .link(let target) = answer, let (process, rest) = Self.split(path), rest.hasPrefix("fd/") else {
                continue
            }
            if Self.matters(target, to: process, ancestors) { involved.insert(process) }
        }
        for path in recording.refusals.keys {
            if let (process, _) = Self.split(path) { involved.insert(process) }
        }
        for (path, content) in recording.files {
            guard let (process, rest) = Self.split(path) else { continue }
            let text = { String(decoding: content, as: UTF8.self) }
            switch rest {
            case "mountinfo", "mounts": involved.insert(process)
            // It moves interrupts.
            case "comm": if text().hasPrefix("irqbalance") { involved.insert(process) }
            // It has memory pinned.
            case "status": if Self.pinsMemory(text()) { involved.insert(process) }
            default: break
            }
        }
        let own = recording.links["/proc/self"].flatMap { own -> Recording.LinkAnswer? in
            guard case .link(let process) = own else { return nil }
            return recording.links["/proc/\(process)/ns/mnt"]
        }
        for (path, namespace) in recording.links {
            if let (process, rest) = Self.split(path), rest == "ns/mnt", namespace != own { involved.insert(process) }
        }
        self.ancestors = ancestors
        self.involved = involved.union(["1"])
    }

    private static func pinsMemory(_ status: String) -> Bool {
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmPin:") }) else { return false }
        return line.contains { ("1"..."9").contains($0) }
    }

    private static func matters(_ target: String, to process: String, _ ancestors: Set<String>) -> Bool {
        if target.hasPrefix("socket:") { return ancestors.contains(process) }
        if target.hasPrefix("/dev/") {
            return !everyones.contains(target) && !target.hasPrefix("/dev/pts/") && !target.hasPrefix("/dev/shm/")
        }
        return target.hasPrefix("anon_inode:[vfio") || target.hasPrefix("anon_inode:vfio")
    }

    private static func ancestors(_ recording: Recording) -> Set<String> {
        var found: Set<String> = []
        guard case .link(let own) = recording.links["/proc/self"] else { return [] }
        var process = own
        while found.insert(process).inserted {
            guard let stat = recording.files["/proc/\(process)/stat"] else { break }
            // The command stands in parentheses and may have some of its own; state and parent follow the last one.
            let text = String(decoding: stat, as: UTF8.self)
            let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
            guard fields.count > 2, fields[2] != "0" else { break }
            process = String(fields[2])
        }
        return found
    }

    /// The process's number and the rest of a path below its directory.
    private static func split(_ path: String) -> (process: String, rest: Substring)? {
        let prefix = "/proc/"
        guard path.hasPrefix(prefix) else { return nil }
        let parts = path.dropFirst(prefix.count).split(separator: "/", maxSplits: 1)
        guard let process = parts.first, Int(process) != nil else { return nil }
        return (String(process), parts.count > 1 ? parts[1] : "")
    }

    /// Whether what stands at a path is kept.
    func keeps(_ path: String) -> Bool {
        guard let (process, rest) = Self.split(path) else { return true }
        guard involved.contains(process) else { return false }
        if rest.isEmpty || rest == "fd" { return true }
        if rest.hasPrefix("fd/") {
            guard case .link(let target) = recording.links[path] else { return recording.refusals[path] != nil }
            return Self.matters(target, to: process, ancestors)
        }
        return Self.files.contains(String(rest.prefix { $0 != "/" }))
    }

    /// The names in a directory that are kept. Of /proc's own, every one that was looked at is there without being listed.
    func kept(_ names: [String], in directory: String) -> [String] {
        if directory == "/proc" { return names.filter(involved.contains) }
        return names.filter { keeps(directory + "/" + $0) }
    }

    /// What is kept of a file's content: of a process's state, which has a hundred numbers that change all the time, who it
    /// is, and what it pins and may; of connections, those of the sockets that are kept.
    func kept(_ content: [UInt8], at path: String) -> [UInt8] {
        guard let (_, rest) = Self.split(path) else { return content }
        let text = String(decoding: content, as: UTF8.self)
        switch rest {
        case "stat":
            // After the command: state, parent, group, session, terminal.
            guard let command = text.lastIndex(of: ")") else { return [] }
            let fields = text[text.index(after: command)...].split(whereSeparator: \.isWhitespace).prefix(5)
            return Array((text[...command] + " " + fields.joined(separator: " ") + "\n").utf8)
        case "status":
            let names = ["Name:", "Pid:", "PPid:", "Uid:", "VmPin:", "VmLck:", "CapEff:"]
            let lines = text.split(separator: "\n").filter { line in names.contains { line.hasPrefix($0) } }
            return Array((lines.joined(separator: "\n") + "\n").utf8)
        case "net/tcp", "net/tcp6":
            let lines = text.split(separator: "\n").enumerated().filter { number, line in
                let fields = line.split(separator: " ")
                return number == 0 || fields.count > 9 && sockets.contains(String(fields[9]))
            }
            return Array((lines.map(\.element).joined(separator: "\n") + "\n").utf8)
        default: return content
        }
    }

    /// The numbers of the sockets that this process's ancestors have open.
    private var sockets: Set<String> {
        var numbers: Set<String> = []
        for (path, answer) in recording.links {
            guard case .link(let target) = answer, target.hasPrefix("socket:["), let (process, _) = Self.split(path),
                ancestors.contains(process)
            else { continue }
            numbers.insert(String(target.dropFirst("socket:[".count).dropLast()))
        }
        return numbers
    }
}

internal import HostAccess
internal import SystemPackage

/// Which processes have VFIO's device nodes open: the links in `/proc/*/fd`, walked once.
struct VFIOHolders {
    /// A process, and the nodes that it has open.
    private struct Holder {
        var pid: Int
        var command: String
        var nodes: Set<String>
    }

    private var holders: [Holder] = []
    /// What could not be looked at.
    private(set) var notes: [String] = []

    init(on host: any HostAccess) {
        let pids: [Int]
        do {
            pids = try host.entries("/proc").compactMap { Int($0) }.sorted()
        } catch {
            pids = []
        }
        guard !pids.isEmpty else {
            notes.append("no process can be seen in /proc, so who has VFIO devices open is not known")
            return
        }
        var hidden = 0
        for pid in pids {
            let path = "/proc/\(pid)/fd"
            let files: any HostDirectory
            let numbers: [String]
            do throws(HostAccessError) {
                files = try host.directory(path)
                numbers = try files.entries("")
            } catch {
                // A process that has ended meanwhile hides nothing.
                if error.errno == .permissionDenied || error.errno == .notPermitted { hidden += 1 }
                continue
            }
            let nodes = Set(numbers.compactMap { Self.node(files, $0) })
            guard !nodes.isEmpty else { continue }
            let command = host.optionalText("/proc/\(pid)/comm") ?? "unknown"
            holders.append(Holder(pid: pid, command: command, nodes: nodes))
        }
        if hidden > 0 {
            notes.append(
                "the open files of \(hidden) processes may not be read, so who has VFIO devices open is known only in "
                    + "part: run as root to see all")
        }
    }

    /// The node that an open file is; one whose name is gone already (the device is being removed) still counts.
    private static func node(_ files: any HostDirectory, _ number: String) -> String? {
        let target: String
        do { target = try files.readLink(number) } catch { return nil }
        guard target.hasPrefix("/dev/vfio/") else { return nil }
        let deleted = " (deleted)"
        return target.hasSuffix(deleted) ? String(target.dropLast(deleted.count)) : target
    }

    /// Who has one of these nodes open.
    func uses(of nodes: [String]) -> [Use] {
        holders.compactMap { holder in
            let open = nodes.filter(holder.nodes.contains)
            guard !open.isEmpty else { return nil }
            let detail = "process \(holder.pid) (\(holder.command)) has \(enumerated(open)) open"
            return Use(by: .vfio, detail: detail)
        }
    }
}

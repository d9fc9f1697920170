internal import HostAccess
internal import SystemPackage

/// One walk over the processes in `/proc`.
///
/// An open file is known by the target of its link in `/proc/PID/fd` (proc_pid_fd(5)), which a user may read of the
/// user's own processes and root of all. Nothing is opened but directories of /proc.
struct ProcessWalk {
    /// How much is looked at before the walk gives up, and says so.
    struct Bounds {
        /// The walk's time.
        var time = Duration.seconds(2)
        /// Open files.
        var descriptors = 1_000_000
        /// Mount namespaces besides the reader's own.
        var namespaces = 4096
    }

    /// `/proc`, open: every path below is looked up from there.
    private let processes: (any HostDirectory)?
    private let bounds: Bounds
    private let deadline: ContinuousClock.Instant
    private var descriptors = 0

    private(set) var holders: [ProcessTable.Holder] = []
    /// Members by the namespace's link: `mnt:[4026531841]`.
    private(set) var namespaces: [String: [Int]] = [:]
    private(set) var unseen: [String] = []

    init(_ host: any HostAccess, bounds: Bounds) {
        do { processes = try host.directory("/proc") } catch { processes = nil }
        self.bounds = bounds
        deadline = ContinuousClock.now.advanced(by: bounds.time)
    }

    mutating func run(namespaces wantsNamespaces: Bool) {
        var pids: [Int] = []
        do {
            pids = try (processes?.entries("") ?? []).compactMap { decimalAttribute($0.utf8) }.sorted()
        } catch {}
        guard let processes, !pids.isEmpty else {
            unseen.append(
                "could not look at processes (there is none in /proc), so who has its nodes open is not known")
            return
        }
        lookForHiddenProcesses(pids)
        let own = wantsNamespaces ? link("self/ns/mnt") : nil
        var refused = 0
        for (position, pid) in pids.enumerated() {
            guard !isSpent else {
                unseen.append(
                    "did not look at \(pids.count - position) of \(pids.count) processes, for that took too long, so who "
                        + "has its nodes open is known only in part")
                break
            }
            if !look(at: pid, in: processes) {
                refused += 1
            } else if wantsNamespaces, let namespace = link("\(pid)/ns/mnt"), namespace != own {
                add(pid, to: namespace)
            }
        }
        if refused > 0 {
            unseen.append(
                "not permitted to look at the open files of \(refused) \(refused == 1 ? "process" : "processes") "
                    + "(/proc/PID/fd), so who has its nodes open is known only in part: root sees all")
        }
    }

    private var isSpent: Bool { descriptors >= bounds.descriptors || ContinuousClock.now >= deadline }

    /// Processes that are not in /proc at all: those outside the reader's own pid namespace, and other users' where /proc
    /// is mounted with `hidepid`.
    private mutating func lookForHiddenProcesses(_ pids: [Int]) {
        // PROC_PID_INIT_INO in include/linux/proc_ns.h: the number of the host's own pid namespace.
        if let namespace = link("self/ns/pid"), namespace != "pid:[4026531836]" {
            unseen.append(
                "not permitted to look at processes outside this pid namespace (\(namespace)), so who has its nodes open "
                    + "is known only in part: the host's root sees all")
        } else if pids.first != 1 {
            unseen.append(
                "not permitted to look at other users' processes (/proc does not show process 1), so who has its nodes "
                    + "open is known only in part: root sees all")
        }
    }

    /// Looks at one process; false when that is not permitted. One that has ended meanwhile hides nothing.
    private mutating func look(at pid: Int, in processes: any HostDirectory) -> Bool {
        let files: any HostDirectory
        let numbers: [String]
        do throws(HostAccessError) {
            files = try processes.directory("\(pid)/fd")
            numbers = try files.entries("")
        } catch {
            // In a capture what could not be read is not there, but the process's name is, since it is asked for here.
            let name = processes.optionalText("\(pid)/comm")
            return error.errno != .permissionDenied && error.errno != .notPermitted && name == nil
        }
        var nodes: Set<String> = []
        var vfio: [String] = []
        for number in numbers {
            descriptors += 1
            if descriptors % 256 == 0, isSpent { break }
            let target: String
            do { target = try files.readLink(number) } catch { continue }
            if let node = Self.node(target) {
                nodes.insert(node)
            } else if target == "anon_inode:[vfio-device]" {
                vfio.append(number)
            }
        }
        if !nodes.isEmpty || !vfio.isEmpty {
            let command = processes.optionalText("\(pid)/comm") ?? "unknown"
            holders.append(.init(pid: pid, command: command, nodes: nodes.sorted(), vfioDescriptors: vfio.sorted()))
        }
        return true
    }

    /// Nodes that every process may have open and that are no device of their own.
    private static let everyones: Set<String> = [
        "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/console",
        "/dev/kmsg", "/dev/fuse",
    ]

    /// The node that a link leads to.
    private static func node(_ target: String) -> String? {
        guard target.hasPrefix("/dev/"), !everyones.contains(target), !target.hasPrefix("/dev/pts/"),
            !target.hasPrefix("/dev/shm/")
        else { return nil }
        let deleted = " (deleted)"
        return target.hasSuffix(deleted) ? String(target.dropLast(deleted.count)) : target
    }

    private mutating func add(_ pid: Int, to namespace: String) {
        guard let members = namespaces[namespace] else {
            if namespaces.count < bounds.namespaces {
                namespaces[namespace] = [pid]
            } else if namespaces.count == bounds.namespaces, !hasTooManyNamespaces {
                hasTooManyNamespaces = true
                unseen.append(
                    "did not look at more than \(bounds.namespaces) mount namespaces, so what is mounted is known only in "
                        + "part")
            }
            return
        }
        if members.count < 3 { namespaces[namespace] = members + [pid] }
    }

    private var hasTooManyNamespaces = false

    private func link(_ path: String) -> String? {
        do { return try processes?.readLink(path) } catch { return nil }
    }
}

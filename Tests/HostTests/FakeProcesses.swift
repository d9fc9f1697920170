import HostAccess
import SystemPackage

/// A host that has processes and nothing else.
struct FakeProcesses: HostDirectory {
    struct Process {
        var uid: UInt32
        var pinnedKiB: UInt64 = 0
        var lockLimit = "unlimited"
        var open: [String] = []
    }

    var processes: [Int: Process] = [:]
    var mayNotLookInto: Set<Int> = []
    var path: String { "/" }

    func read(_ path: String, limit: Int) throws(HostAccessError) -> [UInt8] {
        let parts = path.split(separator: "/")
        if parts.count == 3, let pid = Int(parts[1]), let process = processes[pid] {
            switch parts[2] {
            case "status":
                let status = """
                    Name:\tqemu-system-x86
                    Uid:\t\(process.uid)\t\(process.uid)\t\(process.uid)\t\(process.uid)
                    VmLck:\t       0 kB
                    VmPin:\t   \(process.pinnedKiB) kB
                    """
                return Array(status.utf8)
            case "limits":
                let limits = """
                    Limit                     Soft Limit           Hard Limit           Units
                    Max locked memory         \(process.lockLimit)              unlimited              bytes
                    """
                return Array(limits.utf8)
            default: break
            }
        }
        throw HostAccessError(.read, path, errno: .noSuchFileOrDirectory)
    }

    func readLink(_ path: String) throws(HostAccessError) -> String {
        let parts = path.split(separator: "/")
        guard parts.count == 4, let pid = Int(parts[1]), let process = processes[pid], let number = Int(parts[3]),
            process.open.indices.contains(number)
        else { throw HostAccessError(.readLink, path, errno: .noSuchFileOrDirectory) }
        return process.open[number]
    }

    func entries(_ path: String) throws(HostAccessError) -> [String] {
        let parts = path.split(separator: "/")
        if path == "/proc" { return processes.keys.map(String.init) + ["self", "meminfo", "12x"] }
        guard parts.count == 3, parts[2] == "fd", let pid = Int(parts[1]), let process = processes[pid] else {
            let isDenied = parts.count == 3 && Int(parts[1]).map(mayNotLookInto.contains) == true
            throw HostAccessError(.list, path, errno: isDenied ? .permissionDenied : .noSuchFileOrDirectory)
        }
        return process.open.indices.map(String.init)
    }

    func exists(_ path: String) -> Bool { false }

    func write(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError) {
        throw HostAccessError(.write, path, value: value, errno: .readOnlyFileSystem)
    }

    func directory(_ path: String) throws(HostAccessError) -> any HostDirectory {
        throw HostAccessError(.open, path, errno: .noSuchFileOrDirectory)
    }
}

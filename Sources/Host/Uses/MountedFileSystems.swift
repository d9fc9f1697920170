internal import HostAccess

/// Which block devices file systems are mounted from, in the reader's mount namespace and in all others that a process is in.
struct MountedFileSystems {
    /// Mount points in the reader's own namespace, by block device: `nvme0n1p2`, `dm-0`.
    private var points: [String: [String]] = [:]
    /// Mount points elsewhere, each with a process that sees it: `/data (seen by process 812 (containerd-shim))`.
    private var pointsElsewhere: [String: [String]] = [:]
    /// Mount points of ZFS, by pool, and elsewhere.
    private var poolPoints: [String: [String]] = [:]
    /// What could not be looked at.
    private(set) var unseen: [String] = []

    private let host: any HostAccess
    private let blocks: BlockDevices
    /// Tables name the same devices over and over.
    private var names: [String: [String]] = [:]

    init(on host: any HostAccess, _ blocks: BlockDevices, _ processes: ProcessTable) {
        self.host = host
        self.blocks = blocks
        if let table = MountTable(on: host) {
            for mount in table.mounts { note(mount, seenBy: nil) }
        } else {
            unseen.append("could not look at what is mounted (/proc/self/mountinfo)")
        }
        for members in processes.otherNamespaces {
            for pid in members {
                guard let table = MountTable(ofProcess: pid, on: host) else { continue }
                var command: String?
                for mount in table.mounts {
                    let name = command ?? host.optionalText("/proc/\(pid)/comm") ?? "unknown"
                    command = name
                    note(mount, seenBy: "process \(pid) (\(name))")
                }
                break
            }
        }
        names = [:]
    }

    private mutating func note(_ mount: MountTable.Mount, seenBy process: String?) {
        if mount.type == "zfs" {
            let pool = String(mount.source.prefix { $0 != "/" })
            Self.add(Self.place(mount.point, process), to: &poolPoints[pool, default: []])
            return
        }
        for name in devices(of: mount) {
            guard let process else {
                Self.add(mount.point, to: &points[name, default: []])
                continue
            }
            // What is mounted here as well needs no second witness: every container has a copy of it.
            guard points[name] == nil else { continue }
            Self.add(Self.place(mount.point, process), to: &pointsElsewhere[name, default: []])
        }
    }

    private static func place(_ point: String, _ process: String?) -> String {
        process.map { "\(point) in the mount namespace of \($0)" } ?? point
    }

    private static func add(_ point: String, to points: inout [String]) {
        if !points.contains(point) { points.append(point) }
    }

    private mutating func devices(of mount: MountTable.Mount) -> [String] {
        let key = (mount.deviceNumber ?? "") + " " + mount.source + " " + mount.options
        if let known = names[key] { return known }
        var found: [String] = []
        if let number = mount.deviceNumber, !number.hasPrefix("0:"), let name = blocks.name(ofNumber: number) {
            found.append(name)
        } else if mount.source.hasPrefix("/dev/") {
            // bcachefs names all of its devices, with colons between.
            found += mount.source.split(separator: ":").compactMap { blocks.name(atPath: String($0)) }
        }
        found += mount.furtherDevices.compactMap { blocks.name(atPath: $0) }
        names[key] = found
        return found
    }

    /// `/ and /home`: where a block device's file system is mounted; nil when it is not.
    func place(of name: String) -> String? { (points[name] ?? pointsElsewhere[name]).map { enumerated($0) } }

    /// Every mount point of a block device's file system.
    func points(of name: String) -> [String] { points[name] ?? pointsElsewhere[name] ?? [] }

    /// Where a ZFS pool's datasets are mounted.
    func place(ofPool pool: String) -> String? { poolPoints[pool].map { enumerated($0) } }
}

internal import HostAccess

/// Who uses disks: what is mounted from them or swaps to them, directly or through device-mapper, md, btrfs, ZFS and loop
/// devices, which processes have them open, and which are given to other hosts.
struct DiskUses {
    private let blocks: BlockDevices
    private let mounts: MountedFileSystems
    private let processes: ProcessTable
    private let pools: ZFSPools
    private let targets: StorageTargets
    /// Names of block devices that are swapped to.
    private var swaps: Set<String> = []
    /// The members of each btrfs that is mounted; none of them needs to be the one that the mount names.
    private var btrfs: [String: String] = [:]
    /// Loop devices by the block device that is behind them.
    private var loops: [String: [String]] = [:]
    /// What could not be looked at, of any disk.
    private(set) var unseen: [String] = []

    /// - Parameter otherDisks: the disks that sit on no PCI device, device-mapper's among them.
    init(on host: any HostAccess, otherDisks: [String], _ processes: ProcessTable) {
        self.processes = processes
        blocks = BlockDevices(on: host, virtual: otherDisks)
        mounts = MountedFileSystems(on: host, blocks, processes)
        pools = ZFSPools(on: host)
        targets = StorageTargets(on: host, blocks)
        unseen = mounts.unseen
        readSwaps(host)
        readBtrfs()
        for name in otherDisks where name.hasPrefix("loop") {
            guard let file = host.optionalText("/sys/block/\(name)/loop/backing_file"),
                let backing = blocks.name(atPath: MountTable.unescaped(file))
            else { continue }
            loops[backing, default: []].append(name)
        }
    }

    private mutating func readSwaps(_ host: any HostAccess) {
        guard let text = host.optionalText("/proc/swaps") else {
            unseen.append("could not look at what is swapped to (/proc/swaps)")
            return
        }
        for line in text.split(separator: "\n").dropFirst() {
            guard let path = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).first else { continue }
            if let name = blocks.name(atPath: MountTable.unescaped(path)) { swaps.insert(name) }
        }
    }

    /// A btrfs names one of its devices as the mount's source; all of them are in `/sys/fs/btrfs/UUID/devices`, which is
    /// there as long as it is mounted.
    private mutating func readBtrfs() {
        let path = "/sys/fs/btrfs"
        for id in blocks.names(in: path) {
            let members = blocks.names(in: "\(path)/\(id)/devices")
            let points = members.flatMap { mounts.points(of: $0) }
            let place = points.isEmpty ? "mounted somewhere" : "mounted on \(enumerated(points))"
            for member in members where mounts.place(of: member) == nil { btrfs[member] = place }
        }
    }

    // MARK: one disk

    /// Every use of a whole disk (`nvme0n1`): of itself and of each partition.
    func uses(of disk: String) -> [Use] {
        parts(of: disk).flatMap { name -> [Use] in
            var uses: [Use] = []
            if let place = mounts.place(of: name) {
                uses.append(Use(by: .mount, detail: "\(name) is mounted on \(place)"))
            }
            if swaps.contains(name) { uses.append(Use(by: .swap, detail: "\(name) is used as swap space")) }
            for part in memberships(of: name) { uses.append(Use(by: .holder, detail: "\(name) is \(part)")) }
            for holder in holders(of: name) {
                var seen: Set<String> = [name]
                uses.append(Use(by: .holder, detail: "\(name) is held by \(description(of: holder, &seen))"))
            }
            for (holder, node) in openers(of: name) {
                uses.append(Use(by: .process, detail: "\(holder.description) has \(node) open"))
            }
            return uses
        }
    }

    /// What cannot be told of a disk that nobody is seen to use.
    func unseen(of disk: String) -> [String] {
        let unknown = parts(of: disk).filter { pools.membership(of: $0, in: blocks) == .unknown }
        guard !unknown.isEmpty else { return [] }
        return [
            "could not look whether \(enumerated(unknown)) is in the ZFS pool \(pools.names.joined(separator: " or ")): "
                + "udev's database does not know it"
        ]
    }

    /// `dm-0 (vg0-root), mounted on /`: a holder, with what is on top of it all the way up.
    private func description(of name: String, _ seen: inout Set<String>) -> String {
        var text = blocks.mapperNames[name].map { "\(name) (\($0))" } ?? name
        guard seen.insert(name).inserted else { return text }
        for part in parts(of: name) {
            if let place = mounts.place(of: part) { text += ", mounted on \(place)" }
            if swaps.contains(part) { text += ", used as swap space" }
            for membership in memberships(of: part) { text += ", \(membership)" }
            for holder in holders(of: part) { text += ", held by \(description(of: holder, &seen))" }
            for (holder, _) in openers(of: part) { text += ", open in \(holder.description)" }
        }
        return text
    }

    /// `part of the ZFS pool tank, mounted on /`: what a disk or partition belongs to without a holder to show for it.
    private func memberships(of name: String) -> [String] {
        var parts = btrfs[name].map { ["part of a btrfs, \($0)"] } ?? []
        switch pools.membership(of: name, in: blocks) {
        case .member(let pool):
            parts.append(
                "part of the ZFS pool \(pool), \(mounts.place(ofPool: pool).map { "mounted on \($0)" } ?? "imported")")
        case .unnamed:
            parts.append("a part of a ZFS pool, and \(enumerated(pools.names)) is imported")
        case .none, .unknown:
            break
        }
        return parts + (targets.exports[name] ?? []).map { "given to other hosts by \($0)" }
    }

    private func parts(of disk: String) -> [String] { [disk] + blocks.partitions(of: disk) }

    private func holders(of name: String) -> [String] { blocks.holders(of: name) + (loops[name] ?? []) }

    /// udev looks at a disk whenever it appears or was written to, and closes it again: it does not hold it.
    private static let onlookers: Set<String> = ["systemd-udevd", "(udev-worker)", "udevd"]

    private func openers(of name: String) -> [(ProcessTable.Holder, node: String)] {
        blocks.nodes(of: name).flatMap { node in
            processes.holders(of: node).filter { !Self.onlookers.contains($0.command) }.map { ($0, node) }
        }
    }
}

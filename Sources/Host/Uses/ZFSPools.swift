internal import HostAccess

/// The ZFS pools that are imported, and which disks are in them.
///
/// ZFS leaves no `holders` link on its disks, and no file says what a pool is made of. What there is: a directory of each
/// imported pool below `/proc/spl/kstat/zfs`, what udev's database says of the disk (`zfs_member`, its label the pool's
/// name), and the name `zfs-…` that zpool gives its partitions.
struct ZFSPools {
    private let host: any HostAccess
    /// Imported pools, sorted.
    let names: [String]

    init(on host: any HostAccess) {
        self.host = host
        let path = "/proc/spl/kstat/zfs"
        do {
            // Beside the pools' directories there are files: arcstats, dbufs.
            names = try host.entries(path).filter { name in
                do {
                    _ = try host.entries(path + "/" + name)
                    return true
                } catch {
                    return false
                }
            }.sorted()
        } catch {
            names = []
        }
    }

    /// What is known of one disk or partition.
    enum Membership: Equatable {
        case none
        /// In this pool.
        case member(of: String)
        /// Made by ZFS, and nothing says for which pool.
        case unnamed
        /// Nothing says whether it is in one.
        case unknown
    }

    func membership(of name: String, in blocks: BlockDevices) -> Membership {
        guard !names.isEmpty else { return .none }
        let record = blocks.number(of: name).flatMap { UdevRecord(ofBlockDevice: $0, on: host) }
        if record?.contentType == "zfs_member" {
            guard let label = record?.label else { return .unnamed }
            return names.contains(label) ? .member(of: label) : .none
        }
        let event = host.optionalText("/sys/class/block/\(name)/uevent") ?? ""
        if event.split(separator: "\n").contains(where: { $0.hasPrefix("PARTNAME=zfs-") }) { return .unnamed }
        return record == nil ? .unknown : .none
    }
}

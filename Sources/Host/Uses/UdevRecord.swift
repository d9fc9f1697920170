internal import HostAccess

/// What udev's database knows of a block device: `/run/udev/data/bMAJOR:MINOR`, the `E:` lines that its rules left there.
/// What blkid found on the disk is among them (`ID_FS_TYPE`, `ID_FS_LABEL`): so nobody has to open the disk to know.
struct UdevRecord {
    private var properties: [String: String] = [:]

    /// Nil when udev has no record: there is no udev, or it has not seen the device.
    init?(ofBlockDevice number: String, on host: any HostAccess) {
        guard let text = host.optionalText("/run/udev/data/b" + number) else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("E:") {
            let pair = line.dropFirst(2).split(separator: "=", maxSplits: 1)
            if pair.count == 2 { properties[String(pair[0])] = String(pair[1]) }
        }
    }

    /// What kind of content blkid recognised: `ext4`, `zfs_member`, `LVM2_member`, `linux_raid_member`, `crypto_LUKS`.
    var contentType: String? { properties["ID_FS_TYPE"] }

    /// The content's own name: a file system's label, a pool's name.
    var label: String? { properties["ID_FS_LABEL"] }

    /// `gpt` or `dos`, of a disk that is partitioned.
    var partitionTable: String? { properties["ID_PART_TABLE_TYPE"] }
}

/// What is written on a disk or partition, by the signature at its beginning.
public struct DiskContent: Hashable, Sendable, Codable {
    /// The kind of content, in blkid's words: `ext4`, `LVM2_member`, `linux_raid_member`, `crypto_LUKS`, `zfs_member`, `swap`,
    /// `gpt`.
    public var type: String
    /// The name it was given: a file system's label, a pool's name. Nil where there is none.
    public var label: String?

    /// Makes a content of what is known otherwise, as from udev's database.
    public init(type: String, label: String? = nil) {
        self.type = type
        self.label = label
    }

    /// How many bytes from the beginning tell: ZFS keeps its first label there.
    public static let length = 256 << 10

    /// Recognises what a disk begins with; nil for none of the kinds known here. Fewer bytes than `length` are less to
    /// recognise by, never an error.
    ///
    /// Containers come first (a member of an array may show the file system that the array holds), partition tables last
    /// (a boot sector looks like one). Signatures at the end of a disk, as of md's metadata 0.90 and 1.0, are not seen.
    public init?(beginning bytes: [UInt8]) {
        let disk = DiskBeginning(bytes: bytes)
        if disk.has("LUKS\u{BA}\u{BE}", at: 0) {
            self.init(type: "crypto_LUKS")
        } else if [0, 4096].contains(where: { disk.has([0xfc, 0x4e, 0x2b, 0xa9], at: $0) }) {
            // md's superblock of version 1.1 or 1.2; the array's name is 32 bytes from byte 32 on.
            let start = disk.has([0xfc, 0x4e, 0x2b, 0xa9], at: 0) ? 0 : 4096
            self.init(type: "linux_raid_member", label: disk.text(at: start + 32, length: 32))
        } else if (0..<4).contains(where: {
            disk.has("LABELONE", at: $0 * 512) && disk.has("LVM2 001", at: $0 * 512 + 24)
        }) {
            self.init(type: "LVM2_member")
        } else if let pool = disk.zfsPool {
            self.init(type: "zfs_member", label: pool.isEmpty ? nil : pool)
        } else if disk.has([0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca], at: 4096 + 24) {
            self.init(type: "bcache")
        } else if disk.has("SWAPSPACE2", at: 4096 - 10) {
            self.init(type: "swap", label: disk.text(at: 1052, length: 16))
        } else if let fileSystem = disk.fileSystem {
            self = fileSystem
        } else if disk.has("EFI PART", at: 512) || disk.has("EFI PART", at: 4096) {
            self.init(type: "gpt")
        } else if disk.hasPartitionTable {
            self.init(type: "dos")
        } else {
            return nil
        }
    }
}

/// The first bytes of a disk, looked at in bounds: a field that is not there is no match.
private struct DiskBeginning {
    var bytes: [UInt8]

    func has(_ signature: String, at offset: Int) -> Bool {
        // One byte a character: what is above 7f stands for itself, not for its UTF-8.
        has(signature.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }, at: offset)
    }

    func has(_ signature: [UInt8], at offset: Int) -> Bool {
        guard offset >= 0, bytes.count >= signature.count, offset <= bytes.count - signature.count else { return false }
        return bytes[offset..<(offset + signature.count)].elementsEqual(signature)
    }

    /// A name in a field of its own, filled up with zeros or spaces; nil when it is empty.
    func text(at offset: Int, length: Int) -> String? {
        guard offset >= 0, length >= 0, offset <= bytes.count, length <= bytes.count - offset else { return nil }
        let text = trimmed(Array(bytes[offset..<(offset + length)].prefix { $0 != 0 }))
        return text.isEmpty ? nil : text
    }

    func number(at offset: Int) -> UInt32? {
        guard offset >= 0, bytes.count >= 4, offset <= bytes.count - 4 else { return nil }
        return (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }
    }

    var fileSystem: DiskContent? {
        if has([0x53, 0xef], at: 1080) {
            // Extents are ext4's, a journal is ext3's.
            let incompatible = number(at: 1024 + 0x60) ?? 0
            let compatible = number(at: 1024 + 0x5c) ?? 0
            let type = incompatible & 0x40 != 0 ? "ext4" : compatible & 0x4 != 0 ? "ext3" : "ext2"
            return DiskContent(type: type, label: text(at: 1024 + 0x78, length: 16))
        }
        if has("XFSB", at: 0) { return DiskContent(type: "xfs", label: text(at: 108, length: 12)) }
        if has("_BHRfS_M", at: 65_536 + 64) {
            return DiskContent(type: "btrfs", label: text(at: 65_536 + 299, length: 256))
        }
        if has([0x10, 0x20, 0xf5, 0xf2], at: 1024) { return DiskContent(type: "f2fs") }
        if has("NTFS    ", at: 3) { return DiskContent(type: "ntfs") }
        if has("FAT32   ", at: 82) { return DiskContent(type: "vfat", label: text(at: 71, length: 11)) }
        if has("FAT1", at: 54) { return DiskContent(type: "vfat", label: text(at: 43, length: 11)) }
        if has("EXFAT   ", at: 3) { return DiskContent(type: "exfat") }
        if has("hsqs", at: 0) { return DiskContent(type: "squashfs") }
        if has("CD001", at: 32_769) { return DiskContent(type: "iso9660", label: text(at: 32_808, length: 32)) }
        return nil
    }

    /// A boot sector with at least one entry that has a type.
    var hasPartitionTable: Bool {
        guard has([0x55, 0xaa], at: 510) else { return false }
        return (0..<4).contains { bytes[446 + 16 * $0 + 4] != 0 }
    }

    /// The pool's name, empty where the label does not tell it: a disk of ZFS has uberblocks from 128 KiB on, one at least
    /// every 128 KiB by their size, and before them a list of names and values in XDR (from 16 KiB on).
    var zfsPool: String? {
        let magics: [[UInt8]] = [[0x0c, 0xb1, 0xba, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0xba, 0xb1, 0x0c]]
        let isMember = stride(from: 128 << 10, to: 256 << 10, by: 1024).contains { offset in
            magics.contains { has($0, at: offset) }
        }
        guard isMember else { return nil }
        return zfsLabelName ?? ""
    }

    /// The string called `name` at the top of the label's list. Each pair: its size in this form and in memory, its name's
    /// length and bytes up to a multiple of four, its type, how many values, the values. All numbers are big-endian.
    private var zfsLabelName: String? {
        // The label's first 4 bytes name the encoding (1 is XDR); then come version and flags.
        let start = 16 << 10
        guard has([1], at: start) else { return nil }
        var offset = start + 12
        while let size = bigNumber(at: offset), size >= 20, size <= 112 << 10 {
            guard let length = bigNumber(at: offset + 8), length <= 64 else { break }
            let value = offset + 12 + (length + 3) / 4 * 4
            let isString = bigNumber(at: value) == 9
            if text(at: offset + 12, length: length) == "name", isString, let count = bigNumber(at: value + 8),
                count <= 256
            {
                return text(at: value + 12, length: count)
            }
            offset += size
        }
        return nil
    }

    private func bigNumber(at offset: Int) -> Int? { number(at: offset).map { Int($0.byteSwapped) } }
}

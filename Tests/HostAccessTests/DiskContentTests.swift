internal import HostAccess
internal import Testing

@Suite("What a disk begins with")
struct DiskContentTests {
    /// A disk of zeros with pieces written to it.
    func content(_ pieces: (Int, [UInt8])..., length: Int = DiskContent.length) -> DiskContent? {
        var bytes = [UInt8](repeating: 0, count: length)
        for (offset, piece) in pieces { bytes.replaceSubrange(offset..<(offset + piece.count), with: piece) }
        return DiskContent(beginning: bytes)
    }

    @Test("nothing, and less than nothing")
    func nothing() {
        #expect(content() == nil)
        #expect(content(length: 0) == nil)
        for length in [1, 3, 511, 513, 1081, 4096, 65_600] { #expect(content(length: length) == nil) }
    }

    @Test(
        "file systems and containers by their signatures",
        arguments: [
            ("xfs", 0, "XFSB"), ("crypto_LUKS", 0, "LUKS\u{BA}\u{BE}"), ("btrfs", 65_600, "_BHRfS_M"),
            ("swap", 4086, "SWAPSPACE2"), ("squashfs", 0, "hsqs"), ("iso9660", 32_769, "CD001"),
            ("ntfs", 3, "NTFS    "),
            ("vfat", 82, "FAT32   "), ("gpt", 512, "EFI PART"), ("f2fs", 1024, "\u{10}\u{20}\u{F5}\u{F2}"),
            ("linux_raid_member", 4096, "\u{FC}\u{4E}\u{2B}\u{A9}"),
            ("linux_raid_member", 0, "\u{FC}\u{4E}\u{2B}\u{A9}"),
        ])
    func signatures(type: String, offset: Int, signature: String) {
        let bytes = signature.unicodeScalars.map { UInt8($0.value) }
        #expect(content((offset, bytes))?.type == type)
        var cut = [UInt8](repeating: 0, count: offset) + bytes
        #expect(DiskContent(beginning: cut)?.type == type, "the signature at the very end")
        cut.removeLast()
        #expect(DiskContent(beginning: cut) == nil)
    }

    @Test("ext2, ext3 and ext4 by their features, with their label")
    func extended() {
        let magic: (Int, [UInt8]) = (1080, [0x53, 0xef])
        #expect(content(magic) == DiskContent(type: "ext2"))
        #expect(content(magic, (1024 + 0x5c, [4])) == DiskContent(type: "ext3"))
        #expect(
            content(magic, (1024 + 0x60, [0x40]), (1024 + 0x78, Array("backup".utf8)))
                == DiskContent(type: "ext4", label: "backup"))
    }

    @Test("an array's member is that, whatever file system shines through; LVM by its label in the second sector")
    func containers() {
        #expect(
            content((4096, [0xfc, 0x4e, 0x2b, 0xa9]), (4096 + 32, Array("host:0".utf8)), (1080, [0x53, 0xef]))
                == DiskContent(type: "linux_raid_member", label: "host:0"))
        #expect(
            content((512, Array("LABELONE".utf8)), (536, Array("LVM2 001".utf8))) == DiskContent(type: "LVM2_member"))
        #expect(content((512, Array("LABELONE".utf8))) == nil)
    }

    @Test("a partition table is one with an entry in it")
    func partitions() {
        #expect(content((510, [0x55, 0xaa])) == nil)
        #expect(content((510, [0x55, 0xaa]), (446 + 4, [0x83])) == DiskContent(type: "dos"))
    }

    /// A name, its type and its value as the label's list has them.
    func pair(_ name: String, type: UInt8, _ value: [UInt8]) -> [UInt8] {
        func number(_ value: Int) -> [UInt8] { [0, 0, UInt8(value >> 8), UInt8(value & 255)] }
        func padded(_ text: String) -> [UInt8] {
            Array(text.utf8) + Array(repeating: 0, count: (4 - text.utf8.count % 4) % 4)
        }
        let body = number(name.utf8.count) + padded(name) + [0, 0, 0, type] + number(1) + value
        return number(body.count + 8) + number(64) + body
    }

    @Test("ZFS, with the pool's name from the label's list; a list of nonsense costs the name alone")
    func zfs() {
        let uberblock: (Int, [UInt8]) = (132 << 10, [0x0c, 0xb1, 0xba, 0, 0, 0, 0, 0])
        #expect(content(uberblock) == DiskContent(type: "zfs_member"))
        let list =
            [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] + pair("version", type: 8, [0, 0, 0, 0, 0, 0, 19, 136])
            + pair("name", type: 9, [0, 0, 0, 5] + Array("rpool".utf8) + [0, 0, 0])
        #expect(content(uberblock, (16 << 10, list)) == DiskContent(type: "zfs_member", label: "rpool"))
        for position in list.indices {
            var broken = list
            broken[position] = 0xff
            #expect(content(uberblock, (16 << 10, broken))?.type == "zfs_member")
        }
    }
}

internal import Host
internal import HostAccess
internal import PCI
internal import TestSupport
internal import Testing

@Suite("Who uses a disk")
struct DiskUseTests {
    let host = UsedHost()

    func uses() throws -> [Use] { try host.uses(of: "01:00.0") }

    @Test("nobody")
    func nobody() throws {
        #expect(try uses() == [])
        #expect(try host.snapshot().notes == [])
    }

    @Test("a mounted partition, by device number, wherever the source's name points")
    func mounted() throws {
        host.mounts(
            "25 1 259:2 / / rw,relatime shared:1 - ext4 /dev/root rw",
            "26 25 259:2 /home /home rw,relatime shared:1 - ext4 /dev/root rw",
            "27 25 259:1 / /boot\\040efi rw - vfat /dev/nvme0n1p1 rw")
        #expect(
            try uses() == [
                Use(by: .mount, detail: "nvme0n1p1 is mounted on /boot efi"),
                Use(by: .mount, detail: "nvme0n1p2 is mounted on / and /home"),
            ])
    }

    @Test("a mounted whole disk; many mount points are counted")
    func wholeDisk() throws {
        host.mounts(
            "25 1 259:0 / /a rw - ext4 /dev/nvme0n1 rw", "25 1 259:0 / /b rw - ext4 /dev/nvme0n1 rw",
            "25 1 259:0 / /c rw - ext4 /dev/nvme0n1 rw", "25 1 259:0 / /d rw - ext4 /dev/nvme0n1 rw",
            "25 1 259:0 / /e rw - ext4 /dev/nvme0n1 rw")
        #expect(try uses() == [Use(by: .mount, detail: "nvme0n1 is mounted on /a, /b, /c, /d and 1 more")])
    }

    @Test("a capture with the older mount table alone")
    func olderTable() throws {
        #expect(host.tree.remove("proc/self/mountinfo"))
        host.tree.file("proc/mounts", "/dev/nvme0n1p3 /srv xfs rw 0 0\n")
        #expect(try uses() == [Use(by: .mount, detail: "nvme0n1p3 is mounted on /srv")])
    }

    @Test("swap space on a partition")
    func swap() throws {
        host.tree.file(
            "proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/nvme0n1p3   partition\t976\t0\t-2\n")
        #expect(try uses() == [Use(by: .swap, detail: "nvme0n1p3 is used as swap space")])
    }

    @Test("LVM on LUKS on md: every layer up to the mount is named")
    func layers() throws {
        host.stacked("md127", on: ["nvme0n1p2"], number: "9:127")
        host.stacked("dm-0", on: ["md127"], number: "253:0", mapperName: "luks-data")
        host.stacked("dm-1", on: ["dm-0"], number: "253:1", mapperName: "vg0-root")
        host.stacked("dm-2", on: ["dm-0"], number: "253:2", mapperName: "vg0-swap")
        host.mounts("25 1 253:1 / / rw - ext4 /dev/mapper/vg0-root rw")
        host.tree.file("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/dm-2 partition\t976\t0\t-2\n")
        #expect(
            try uses() == [
                Use(
                    by: .holder,
                    detail:
                        "nvme0n1p2 is held by md127, held by dm-0 (luks-data), held by dm-1 (vg0-root), mounted on /, "
                        + "held by dm-2 (vg0-swap), used as swap space")
            ])
    }

    @Test("a holder that nothing is mounted from holds all the same; a loop of holders ends")
    func idleHolder() throws {
        host.stacked("dm-0", on: ["nvme0n1p2"], number: "253:0", mapperName: "idle")
        host.tree.link("sys/class/block/dm-0/holders/nvme0n1p2", to: "../nvme0n1p2")
        #expect(try uses() == [Use(by: .holder, detail: "nvme0n1p2 is held by dm-0 (idle), held by nvme0n1p2")])
    }

    @Test("every member of a mounted btrfs is in use, not only the one that the mount names")
    func btrfs() throws {
        host.mounts("25 1 0:40 / /data rw - btrfs /dev/sda1 rw")
        host.tree.link("sys/fs/btrfs/1f3c/devices/sda1", to: "../../../../devices/gone/sda1")
        host.tree.link("sys/fs/btrfs/1f3c/devices/nvme0n1p2", to: "../../../../devices/gone/nvme0n1p2")
        #expect(try uses() == [Use(by: .holder, detail: "nvme0n1p2 is part of a btrfs, mounted on /data")])
    }

    @Test("a btrfs that is mounted where nobody looks is in use all the same")
    func btrfsElsewhere() throws {
        host.tree.link("sys/fs/btrfs/1f3c/devices/nvme0n1p2", to: "../../../../devices/gone/nvme0n1p2")
        #expect(try uses() == [Use(by: .holder, detail: "nvme0n1p2 is part of a btrfs, mounted somewhere")])
    }

    @Test("what is mounted only in another mount namespace, once a namespace, with a process that sees it")
    func otherNamespaces() throws {
        host.mounts("25 1 259:2 / / rw - ext4 /dev/nvme0n1p2 rw")
        host.tree.link("proc/self/ns/mnt", to: "mnt:[1]")
        host.tree.link("proc/1/ns/mnt", to: "mnt:[1]")
        for pid in [70, 71] {
            host.process(pid, "containerd-shim")
            host.tree.link("proc/\(pid)/ns/mnt", to: "mnt:[2]")
        }
        // A copy of what is mounted here as well says nothing new.
        let table =
            "30 1 259:2 / /etc/hosts rw - ext4 /dev/nvme0n1p2 rw\n31 1 259:3 / /data rw - xfs /dev/nvme0n1p3 rw\n"
        host.tree.file("proc/70/mountinfo", table)
        host.tree.file("proc/71/mountinfo", table)
        #expect(
            try uses() == [
                Use(by: .mount, detail: "nvme0n1p2 is mounted on /"),
                Use(
                    by: .mount,
                    detail: "nvme0n1p3 is mounted on /data in the mount namespace of process 70 (containerd-shim)"),
            ])
        #expect(host.tree.remove("proc/70/mountinfo"), "a process that ends meanwhile has others to answer for it")
        #expect(
            try uses().last?.detail.hasSuffix("/data in the mount namespace of process 71 (containerd-shim)") == true)
    }

    @Test("a journal or a log on a disk of its own, and every disk of a bcachefs")
    func furtherDevices() throws {
        host.mounts(
            "25 1 8:1 / /a rw - xfs /dev/sda1 rw,attr2,logdev=/dev/nvme0n1p1",
            "26 1 0:50 / /b rw - bcachefs /dev/sdb:/dev/nvme0n1p2 rw")
        #expect(
            try uses() == [
                Use(by: .mount, detail: "nvme0n1p1 is mounted on /a"),
                Use(by: .mount, detail: "nvme0n1p2 is mounted on /b"),
            ])
    }

    @Test("a member of a ZFS pool, which leaves no holder: by the label in udev's database, up to the mount points")
    func zfs() throws {
        host.tree.file("proc/spl/kstat/zfs/arcstats", "")
        host.tree.file("proc/spl/kstat/zfs/tank/state", "ONLINE\n")
        host.udev("259:0", "ID_PART_TABLE_TYPE=gpt")
        host.udev("259:1", "ID_FS_TYPE=zfs_member", "ID_FS_LABEL=tank")
        host.udev("259:2", "ID_FS_TYPE=zfs_member", "ID_FS_LABEL=exported")
        host.udev("259:3", "ID_FS_TYPE=vfat")
        #expect(try uses() == [Use(by: .holder, detail: "nvme0n1p1 is part of the ZFS pool tank, imported")])
        host.mounts("40 1 0:60 / / rw - zfs tank/ROOT/debian rw", "41 1 0:61 / /home rw - zfs tank/home rw")
        #expect(
            try uses() == [Use(by: .holder, detail: "nvme0n1p1 is part of the ZFS pool tank, mounted on / and /home")])
        #expect(try host.device("01:00.0").unseen == [])
    }

    @Test("a partition that zpool made, without udev: in use while any pool is imported, and what is not known is said")
    func zfsWithoutUdev() throws {
        host.tree.file("proc/spl/kstat/zfs/tank/state", "ONLINE\n")
        host.tree.file(UsedHost.disk + "/nvme0n1p1/uevent", "DEVNAME=nvme0n1p1\nPARTNAME=zfs-0123456789abcdef\n")
        #expect(
            try uses() == [Use(by: .holder, detail: "nvme0n1p1 is a part of a ZFS pool, and tank is imported")])
        host.tree.file(UsedHost.disk + "/nvme0n1p1/uevent", "DEVNAME=nvme0n1p1\n")
        #expect(try uses() == [])
        #expect(
            try host.device("01:00.0").unseen == [
                "could not look whether nvme0n1, nvme0n1p1, nvme0n1p2 and nvme0n1p3 is in the ZFS pool tank: udev's "
                    + "database does not know it"
            ])
    }

    @Test("a loop device on a partition, and what is mounted from it")
    func loop() throws {
        host.stacked("loop0", on: [], number: "7:0")
        host.tree.file("sys/devices/virtual/block/loop0/loop/backing_file", "/dev/nvme0n1p3\n")
        host.mounts("25 1 7:0 / /mnt rw - ext4 /dev/loop0 rw")
        #expect(try uses() == [Use(by: .holder, detail: "nvme0n1p3 is held by loop0, mounted on /mnt")])
    }

    @Test("a namespace that is given to other hosts, as NVMe over fabrics or SCSI, while that is on")
    func targets() throws {
        let nvme = "sys/kernel/config/nvmet/subsystems/nqn.a/namespaces/1"
        host.tree.file(nvme + "/device_path", "/dev/nvme0n1\n")
        host.tree.file(nvme + "/enable", "0\n")
        #expect(try uses() == [])
        host.tree.file(nvme + "/enable", "1\n")
        let scsi = "sys/kernel/config/target/core/iblock_0/lun"
        host.tree.file("sys/kernel/config/target/core/alua/lu_gps/default", "")
        host.tree.file(scsi + "/udev_path", "/dev/nvme0n1p3\n")
        host.tree.file(scsi + "/enable", "1\n")
        #expect(
            try uses() == [
                Use(by: .holder, detail: "nvme0n1 is given to other hosts by an NVMe target (nqn.a)"),
                Use(by: .holder, detail: "nvme0n1p3 is given to other hosts by a SCSI target (lun)"),
            ])
    }

    @Test(
        "a process that has the disk open: a guest on a raw disk, also through a logical volume, but not udev's glance")
    func processes() throws {
        host.stacked("dm-0", on: ["nvme0n1p2"], number: "253:0", mapperName: "vg0-guest")
        host.process(80, "qemu-system-x86", open: "/dev/nvme0n1p1", "/dev/kvm")
        host.process(81, "qemu-system-x86", open: "/dev/dm-0")
        host.process(82, "(udev-worker)", open: "/dev/nvme0n1p3")
        #expect(
            try uses() == [
                Use(by: .process, detail: "process 80 (qemu-system-x86) has /dev/nvme0n1p1 open"),
                Use(
                    by: .holder,
                    detail: "nvme0n1p2 is held by dm-0 (vg0-guest), open in process 81 (qemu-system-x86)"),
            ])
    }

    @Test("the controller's own node")
    func controller() throws {
        host.tree.link("sys/class/nvme/nvme0", to: "../../devices/pci0000:00/0000:01:00.0/nvme/nvme0")
        host.process(80, "nvme", open: "/dev/nvme0")
        #expect(try uses() == [Use(by: .process, detail: "process 80 (nvme) has /dev/nvme0 open")])
    }

    @Test("native multipath: the namespace is a virtual subsystem's, and both controllers lead to it")
    func multipath() throws {
        host.tree.link("sys/block/nvme0c0n1", to: "../devices/pci0000:00/0000:02:00.0/nvme/nvme1/nvme0c0n1")
        host.mounts("25 1 259:2 / / rw - ext4 /dev/nvme0n1p2 rw")
        host.process(80, "fio", open: "/dev/ng0n1")
        let expected = [
            Use(by: .mount, detail: "nvme0n1p2 is mounted on /"),
            Use(by: .process, detail: "process 80 (fio) has /dev/ng0n1 open"),
        ]
        #expect(try uses() == expected)
        #expect(try host.uses(of: "02:00.0") == expected)
    }

    @Test("SCSI disks and those of virtio lie under their functions, whatever stands between")
    func otherDisks() throws {
        let scsi = "devices/pci0000:00/0000:02:00.0/ata1/host0/target0:0:0/0:0:0:0/block/sda"
        host.tree.link("sys/block/sda", to: "../" + scsi)
        host.blockDevice("sda", at: "sys/" + scsi, number: "8:0")
        host.blockDevice("sda1", at: "sys/\(scsi)/sda1", number: "8:1")
        let virtio = "devices/pci0000:00/0000:01:00.0/virtio3/block/vda"
        host.tree.link("sys/block/vda", to: "../" + virtio)
        host.blockDevice("vda", at: "sys/" + virtio, number: "254:0")
        host.mounts("25 1 8:1 / /srv rw - ext4 /dev/sda1 rw", "25 1 254:0 / /opt rw - ext4 /dev/vda rw")
        #expect(try host.uses(of: "02:00.0") == [Use(by: .mount, detail: "sda1 is mounted on /srv")])
        #expect(try uses() == [Use(by: .mount, detail: "vda is mounted on /opt")])
    }

    @Test("tables that cannot be read are said, not taken for unused")
    func unseen() throws {
        #expect(host.tree.remove("proc/self/mountinfo"))
        #expect(host.tree.remove("proc/swaps"))
        let unseen = try host.device("01:00.0").unseen
        #expect(unseen.contains { $0.contains("could not look at what is mounted") })
        #expect(unseen.contains { $0.contains("/proc/swaps") })
        #expect(try host.device("02:00.0").unseen == [], "no disk sits on this one")
        #expect(try host.snapshot().unseen == unseen)
    }

    @Test("more partitions than ten, in order; a disk whose name is another's beginning keeps its own")
    func partitions() throws {
        for index in [10, 2, 1] {
            host.blockDevice("sda\(index)", at: "sys/devices/x/sda\(index)", number: "8:\(index)")
        }
        host.blockDevice("sda", at: "sys/devices/pci0000:00/0000:01:00.0/sda", number: "8:0")
        host.blockDevice("sdaa1", at: "sys/devices/x/sdaa1", number: "65:161")
        host.blockDevice("sdaa", at: "sys/devices/x/sdaa", number: "65:160")
        host.tree.link("sys/block/sda", to: "../devices/pci0000:00/0000:01:00.0/sda")
        host.mounts(
            "25 1 8:10 / /ten rw - ext4 /dev/sda10 rw", "25 1 8:2 / /two rw - ext4 /dev/sda2 rw",
            "25 1 65:161 / /other rw - ext4 /dev/sdaa1 rw")
        #expect(
            try uses() == [
                Use(by: .mount, detail: "sda2 is mounted on /two"), Use(by: .mount, detail: "sda10 is mounted on /ten"),
            ])
    }
}

@Suite("What is written on a disk that nobody uses")
struct IdleDiskTests {
    let host = UsedHost()

    func signatures() throws -> [String] {
        let address = try #require(PCIAddress("01:00.0"))
        let access = try CapturedDirectory(host.tree.path)
        var snapshot = try HostSnapshot.read(from: access)
        #expect(try #require(snapshot.device(at: address)).signatures == [], "nobody is asked who did not want to know")
        snapshot.readSignatures(of: [address], from: access)
        return try #require(snapshot.device(at: address)).signatures.map(\.description)
    }

    @Test("udev's database tells it; what is in use is not told twice")
    func fromUdev() throws {
        host.udev("259:0", "ID_PART_TABLE_TYPE=gpt")
        host.udev("259:1", "ID_FS_TYPE=vfat", "ID_FS_LABEL=EFI")
        host.udev("259:2", "ID_FS_TYPE=ext4")
        host.udev("259:3", "DEVNAME=/dev/nvme0n1p3")
        host.mounts("25 1 259:2 / / rw - ext4 /dev/nvme0n1p2 rw")
        #expect(try signatures() == ["nvme0n1p1 is not in use, but has vfat on it (EFI)"])
    }

    @Test("a disk that udev does not know is read; a capture keeps what was found there")
    func fromDisk() throws {
        #expect(try signatures() == [])
        host.tree.file("disk-contents/nvme0n1", "gpt\n")
        host.tree.file("disk-contents/nvme0n1p2", "crypto_LUKS\n")
        host.tree.file("disk-contents/nvme0n1p3", "ext4 my data\n")
        #expect(
            try signatures() == [
                "nvme0n1p2 is not in use, but has crypto_LUKS on it",
                "nvme0n1p3 is not in use, but has ext4 on it (my data)",
            ])
    }

    @Test("a ZFS label that names an imported pool is a user; one of another pool is not")
    func zfsLabel() throws {
        host.tree.file("proc/spl/kstat/zfs/tank/state", "ONLINE\n")
        host.tree.file("disk-contents/nvme0n1p2", "zfs_member tank\n")
        host.tree.file("disk-contents/nvme0n1p3", "zfs_member old\n")
        #expect(try signatures() == ["nvme0n1p3 is not in use, but has zfs_member on it (old)"])
    }
}

internal import Host
internal import HostAccess
internal import PCI
internal import TestSupport
internal import Testing

@Suite("Who uses a device through VFIO")
struct VFIOUseTests {
    let host = UsedHost()

    init() {
        let home = "sys/devices/pci0000:00/0000:02:00.0"
        host.tree.directory("sys/bus/pci/drivers/vfio-pci")
        host.tree.link(home + "/driver", to: "../../../bus/pci/drivers/vfio-pci")
        host.tree.link(home + "/iommu_group", to: "../../../kernel/iommu_groups/12")
        host.tree.directory(home + "/vfio-dev/vfio3")
    }

    @Test("a process with the group's or the device's node open, by pid and command")
    func holders() throws {
        for (pid, command, target) in [
            ("41", "sshd", "/dev/null"), ("42", "qemu-system-x86", "/dev/vfio/12"),
            ("43", "vmm", "/dev/vfio/devices/vfio3 (deleted)"), ("44", "other", "/dev/vfio/123"),
        ] {
            host.tree.file("proc/\(pid)/comm", command + "\n")
            host.tree.link("proc/\(pid)/fd/7", to: target)
        }
        #expect(
            try host.uses(of: "02:00.0") == [
                Use(by: .vfio, detail: "process 42 (qemu-system-x86) has /dev/vfio/12 open"),
                Use(by: .vfio, detail: "process 43 (vmm) has /dev/vfio/devices/vfio3 open"),
            ])
    }

    @Test("a node without an IOMMU behind it has another name")
    func noIOMMU() throws {
        host.process(42, "testpmd", open: "/dev/vfio/noiommu-12")
        #expect(
            try host.uses(of: "02:00.0") == [
                Use(by: .vfio, detail: "process 42 (testpmd) has /dev/vfio/noiommu-12 open")
            ])
    }

    static let home = "sys/devices/pci0000:00/0000:02:00.0"

    @Test("a device's descriptor alone is anonymous: who has one may have any device that is not known to be closed")
    func anonymous() throws {
        host.process(42, "vmm", open: "/dev/vfio/vfio", "anon_inode:[vfio-device]")
        let use = Use(by: .vfio, detail: "process 42 (vmm) has a VFIO device open, and which one cannot be seen")
        #expect(try host.uses(of: "02:00.0") == [use])
        #expect(try host.uses(of: "01:00.0") == [], "this one is not VFIO's")
        host.tree.file(Self.home + "/enable", "0\n")
        #expect(try host.uses(of: "02:00.0") == [], "VFIO enables a device when it is opened")
        host.tree.file(Self.home + "/enable", "1\n")
        #expect(
            try host.uses(of: "02:00.0") == [
                Use(by: .vfio, detail: "process 42 (vmm) has a VFIO device open, and nobody else has this one")
            ])
    }

    @Test("who holds a group has its anonymous descriptors from there")
    func explained() throws {
        host.process(42, "qemu", open: "/dev/vfio/vfio", "/dev/vfio/7", "anon_inode:[vfio-device]")
        #expect(try host.uses(of: "02:00.0") == [])
        host.tree.file(Self.home + "/enable", "1\n")
        #expect(try host.uses(of: "02:00.0").map(\.by) == [.vfio], "but nobody else can have this one open")
        host.process(43, "vmm", open: "/dev/vfio/12")
        #expect(
            try host.uses(of: "02:00.0") == [Use(by: .vfio, detail: "process 43 (vmm) has /dev/vfio/12 open")],
            "a holder with a name is all that is said")
    }

    @Test("kernels from 6.18 on name the device of an anonymous descriptor")
    func namedByTheKernel() throws {
        host.process(42, "vmm", open: "anon_inode:[vfio-device]")
        host.tree.file(
            "proc/42/fdinfo/3",
            "pos:\t0\nflags:\t02\nvfio-device-syspath: /sys/devices/pci0000:00/0000:02:00.0\n")
        #expect(try host.uses(of: "02:00.0") == [Use(by: .vfio, detail: "process 42 (vmm) has 0000:02:00.0 open")])
        host.tree.file("proc/42/fdinfo/3", "vfio-device-syspath: /sys/devices/pci0000:00/0000:03:00.0\n")
        host.tree.file(Self.home + "/enable", "1\n")
        #expect(try host.uses(of: "02:00.0") == [])
    }

    @Test("a device that is open, and by whom may not be seen, is in use")
    func unseenHolder() throws {
        host.tree.file(Self.home + "/enable", "1\n")
        #expect(try host.uses(of: "02:00.0") == [], "everybody is seen, and nobody has it")
        host.tree.file("proc/50/comm", "qemu\n")
        #expect(
            try host.uses(of: "02:00.0") == [
                Use(by: .vfio, detail: "it is open (its enable is not 0), by a process that cannot be seen")
            ])
    }

    @Test("a physical function is in use while its virtual functions are")
    func virtualFunctions() throws {
        let home = "sys/devices/pci0000:00/0000:01:00.0"
        host.tree.file(home + "/sriov_totalvfs", "4\n")
        host.tree.link(home + "/virtfn0", to: "../0000:02:00.0")
        host.tree.file("proc/42/comm", "qemu\n")
        host.tree.link("proc/42/fd/7", to: "/dev/null")
        #expect(
            try host.uses(of: "01:00.0") == [Use(by: .vf, detail: "VF 0 (0000:02:00.0) is bound to vfio-pci")])
        host.tree.link("proc/42/fd/7", to: "/dev/vfio/12")
        #expect(
            try host.uses(of: "01:00.0") == [
                Use(
                    by: .vf,
                    detail: "VF 0 (0000:02:00.0) is in use: process 42 (qemu) has /dev/vfio/12 open")
            ])
    }
}

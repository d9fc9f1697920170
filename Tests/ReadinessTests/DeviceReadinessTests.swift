internal import Readiness
internal import TestSupport
internal import PCI
internal import Testing

@Suite("Is this device ready?")
struct DeviceReadinessTests {
    let host = ReadyHost()

    @Test("not while somebody uses it, and the cure says what to do")
    func used() throws {
        host.tree.link("sys/class/net/eth0", to: "../../devices/pci0000:00/0000:01:00.0/net/eth0")
        host.tree.link("sys/class/net/bond0", to: "../../devices/virtual/net/bond0")
        host.tree.file("sys/devices/virtual/net/bond0/bonding/mode", "active-backup 1\n")
        host.tree.link(ReadyHost.home + "/net/eth0/master", to: "../../../../virtual/net/bond0")
        let finding = try host.finding(.deviceUse, ReadyHost.address)
        #expect(finding.level == .failure)
        #expect(finding.evidence.contains("bond0"))
        #expect(finding.cure?.contains("bond") == true)
        #expect(finding.device?.description == ReadyHost.address)
    }

    @Test("not while a member of its group stays with a host driver, named; with the member chosen too, it is")
    func viability() throws {
        host.function("0000:01:00.1", class: "20000", driver: "e1000", group: 12)
        let finding = try host.finding(.deviceViability, ReadyHost.address)
        #expect(finding.level == .failure)
        #expect(finding.evidence.contains("0000:01:00.1 is bound to e1000"))
        #expect(try host.check("01:00.*").isReady)
    }

    @Test("a bridge or a member without a driver does not stand in the way")
    func harmlessMembers() throws {
        host.function("0000:00:1c.0", class: "60400", driver: "pcieport", group: 12)
        host.function("0000:01:00.1", class: "20000", driver: nil, group: 12)
        #expect(try host.check(ReadyHost.address).isReady)
        #expect(try host.finding(.deviceKind, "00:1c.0").level == .failure, "a bridge itself cannot be given out")
    }

    @Test("not without a group, and not with memory that the firmware keeps for it")
    func groupAndMemory() throws {
        host.tree.file(
            "sys/kernel/iommu_groups/12/reserved_regions",
            "0x00000000000a0000 0x00000000000bffff direct-relaxable\n0x000000007b000000 0x000000007f7fffff direct\n")
        let finding = try host.finding(.deviceReservedMemory, ReadyHost.address)
        #expect(finding.level == .failure)
        #expect(finding.evidence.contains("0x7b000000-0x7f7fffff"))
        host.function("0000:03:00.0", class: "20000", driver: nil, group: nil)
        #expect(try host.finding(.deviceGroup, "03:00.0").level == .failure)
    }

    @Test("a device that cannot be reset, or shows nonsense, is ready with a warning")
    func warnings() throws {
        host.function("0000:03:00.0", class: "20000", driver: nil, group: 13)
        host.tree.file("sys/devices/pci0000:00/0000:03:00.0/numa_node", "garbage\n")
        #expect(try host.check("03:00.0").isReady)
        #expect(try host.finding(.deviceReset, "03:00.0").level == .warning)
        #expect(try host.finding(.deviceAttributes, "03:00.0").evidence.contains("garbage"))
    }

    @Test("unused is not said where something could not be looked at")
    func blind() throws {
        host.tree.link("sys/block/sda", to: "../devices/pci0000:00/0000:01:00.0/host0/block/sda")
        #expect(host.tree.remove("proc/swaps"))
        let finding = try host.finding(.deviceUse, ReadyHost.address)
        #expect(finding.level == .warning)
        #expect(finding.evidence.contains("/proc/swaps"))
    }

    @Test("a driver of a graphics card lets go slowly, and that is said; VFIO's and none are as they should be")
    func drivers() throws {
        #expect(try host.finding(.deviceDriver, ReadyHost.address).evidence.hasPrefix("igb has it"))
        host.function("0000:03:00.0", class: "30000", driver: "nvidia", group: 13)
        let finding = try host.finding(.deviceDriver, "03:00.0")
        #expect(finding.level == .warning)
        #expect(finding.cure?.contains("nvidia-persistenced") == true)
        host.function("0000:04:00.0", class: "30000", driver: nil, group: 14)
        #expect(try host.finding(.deviceDriver, "04:00.0").evidence == "no driver has it")
    }

    @Test("the card that the firmware used is a warning")
    func bootVGA() throws {
        host.tree.file(ReadyHost.home + "/boot_vga", "0\n")
        #expect(try host.findings(.deviceBootVGA, ReadyHost.address).isEmpty)
        host.tree.file(ReadyHost.home + "/boot_vga", "1\n")
        #expect(try host.finding(.deviceBootVGA, ReadyHost.address).level == .warning)
    }

    @Test("where it sits matters only on a host with several nodes")
    func numa() throws {
        host.tree.file(ReadyHost.home + "/numa_node", "0\n")
        host.function("0000:03:00.0", class: "20000", driver: nil, group: 13)
        host.tree.file("sys/devices/pci0000:00/0000:03:00.0/numa_node", "-1\n")
        host.tree.directory("sys/devices/system/node/node0")
        #expect(try host.findings(.deviceNUMA, ReadyHost.address).isEmpty)
        host.tree.directory("sys/devices/system/node/node1")
        #expect(try host.finding(.deviceNUMA, ReadyHost.address).level == .ok)
        #expect(try host.finding(.deviceNUMA, "03:00.0").level == .note)
        host.tree.file("sys/devices/pci0000:00/0000:03:00.0/numa_node", "1\n")
        #expect(try host.findings(.deviceNUMA, "01:00.0", "03:00.0").map(\.level) == [.warning, .warning])
    }

    @Test(
        "its virtual functions want bus numbers that the bridge above was given",
        arguments: [
            ("7", "128", "2", "5", Finding.Level.ok, "all 7 of its virtual functions have bus numbers, the last 05"),
            ("64", "128", "2", "5", .ok, "the last 05"), ("128", "128", "2", "5", .warning, "only 64 of its 128"),
            ("128", "128", "2", "6", .ok, "the last 06"), ("8", "256", "1", "5", .warning, "only 0 of its 8"),
            ("65535", "1", "65535", "255", .warning, "only 1 of its 65535"),
        ])
    func buses(
        total: String, offset: String, stride: String, last: String, level: Finding.Level, evidence: String
    ) throws {
        let port = "sys/devices/pci0000:00/0000:00:1c.0"
        host.tree.file(port + "/subordinate_bus_number", last + "\n")
        host.tree.link("sys/bus/pci/devices/0000:00:1c.0", to: "../../../devices/pci0000:00/0000:00:1c.0")
        let home = port + "/0000:05:00.0"
        host.tree.link("sys/bus/pci/devices/0000:05:00.0", to: "../../../devices/pci0000:00/0000:00:1c.0/0000:05:00.0")
        host.tree.file(home + "/uevent", "PCI_CLASS=20000\nPCI_ID=8086:10C9\nPCI_SUBSYS_ID=1AF4:1100\n")
        for (name, value) in [("totalvfs", total), ("offset", offset), ("stride", stride)] {
            host.tree.file(home + "/sriov_" + name, value + "\n")
        }
        let finding = try host.finding(.deviceVFBuses, "05:00.0")
        #expect(finding.level == level)
        #expect(finding.evidence.contains(evidence), "\(finding.evidence)")
        #expect(finding.evidence.contains("/sys/bus/pci/devices/0000:00:1c.0/subordinate_bus_number"))
        // A card that was not asked about is told of only where something is wrong.
        #expect(try host.findings(.deviceVFBuses, ReadyHost.address).map(\.level) == (level == .ok ? [] : [level]))
    }

    @Test("nothing is said of bus numbers where the kernel does not say enough, or says nonsense")
    func unknownBuses() throws {
        for (total, offset, stride) in [
            ("7", "0", "0"), ("0", "128", "2"), ("7", "99999999999999999", "2"), ("7", "1", "-4"),
        ] {
            host.tree.file(ReadyHost.home + "/sriov_totalvfs", total + "\n")
            host.tree.file(ReadyHost.home + "/sriov_offset", offset + "\n")
            host.tree.file(ReadyHost.home + "/sriov_stride", stride + "\n")
            #expect(try host.findings(.deviceVFBuses, ReadyHost.address).isEmpty)
        }
        host.tree.file(ReadyHost.home + "/sriov_offset", "128\n")
        host.tree.file(ReadyHost.home + "/sriov_stride", "2\n")
        #expect(try host.finding(.deviceVFBuses, ReadyHost.address).evidence.contains("no bridge above it limits them"))
    }
}

internal import Host
internal import HostAccess
internal import PCI
internal import Readiness
internal import TestSupport
internal import Testing

/// A host in a directory that is ready for everything, until a test takes something away.
struct ReadyHost {
    let tree = TemporaryDirectory()
    static let address = "0000:01:00.0"
    static let home = "sys/devices/pci0000:00/0000:01:00.0"

    init() {
        tree.directory("sys/class/iommu/dmar0")
        function(Self.address, class: "20000", driver: "igb", group: 12)
        tree.file(Self.home + "/reset_method", "flr bus\n")
        tree.directory("sys/bus/pci/drivers/vfio-pci")
        for module in ["vfio", "vfio_pci", "vfio_iommu_type1", "iommufd"] { tree.directory("sys/module/" + module) }
        tree.file("proc/devices", "Character devices:\n  1 mem\n511 vfio-dev\n")
        tree.file("proc/interrupts", "  24:  0  0  IR-PCI-MSI-0000:01:00.0  0-edge  eth0\n")
        tree.file("proc/sys/kernel/osrelease", "6.12.1-amd64\n")
        tree.file("proc/cmdline", "root=/dev/sda1 quiet\n")
        tree.file("proc/cpuinfo", "vendor_id\t: GenuineIntel\n")
        tree.file("proc/self/status", "Name:\tvfioctl\nCapEff:\t0000000000000000\n")
        memlock("unlimited            unlimited            bytes")
        tree.file("proc/self/mountinfo", "")
        tree.file("proc/swaps", "")
    }

    func function(_ address: String, class classID: String, driver: String?, group: Int?) {
        let home = "sys/devices/pci0000:00/" + address
        tree.file(
            home + "/uevent",
            (driver.map { "DRIVER=\($0)\n" } ?? "")
                + "PCI_CLASS=\(classID)\nPCI_ID=8086:10C9\nPCI_SUBSYS_ID=1AF4:1100\n")
        tree.link("sys/bus/pci/devices/" + address, to: "../../../devices/pci0000:00/" + address)
        if let driver {
            tree.directory("sys/bus/pci/drivers/" + driver)
            tree.link(home + "/driver", to: "../../../bus/pci/drivers/" + driver)
        }
        if let group {
            tree.link(home + "/iommu_group", to: "../../../kernel/iommu_groups/\(group)")
            tree.directory("sys/kernel/iommu_groups/\(group)")
        }
    }

    func memlock(_ rest: String) {
        tree.file(
            "proc/self/limits",
            "Limit                     Soft Limit           Hard Limit           Units     \n"
                + "Max locked memory         \(rest)     \n")
    }

    func check(_ devices: String...) throws -> Readiness {
        let host = try CapturedDirectory(tree.path)
        let snapshot = try HostSnapshot.read(from: host)
        return Readiness.check(
            host, snapshot, devices: try devices.flatMap { try DeviceSelector($0).devices(in: snapshot) })
    }

    func finding(_ id: Finding.Subject, _ devices: String...) throws -> Finding {
        let host = try CapturedDirectory(tree.path)
        let snapshot = try HostSnapshot.read(from: host)
        let chosen = try devices.flatMap { try DeviceSelector($0).devices(in: snapshot) }
        return try #require(Readiness.check(host, snapshot, devices: chosen).findings.first { $0.id == id })
    }
}

@Suite("Is this host ready?")
struct HostReadinessTests {
    let host = ReadyHost()

    @Test("a host with all of it is, and every finding has its evidence")
    func ready() throws {
        let readiness = try host.check(ReadyHost.address)
        #expect(readiness.isReady)
        #expect(readiness.findings.allSatisfy { !$0.evidence.isEmpty })
        // Where this process may go on the captured host is the one thing that a capture cannot tell.
        #expect(readiness.findings.filter { $0.level != .ok }.map(\.id) == [.access])
    }

    @Test("every failure has a cure")
    func cures() throws {
        let bare = TemporaryDirectory()
        bare.directory("sys/bus/pci/devices")
        let capture = try CapturedDirectory(bare.path)
        let readiness = Readiness.check(capture, try HostSnapshot.read(from: capture))
        #expect(!readiness.isReady)
        #expect(readiness.findings.filter { $0.level == .failure && $0.cure == nil } == [])
    }

    @Test(
        "no IOMMU is a failure, and the cure fits the machine",
        arguments: [
            ("proc/cmdline", "quiet intel_iommu=off\n", "take intel_iommu=off off"),
            ("sys/firmware/acpi/tables/DMAR", "", "add intel_iommu=on"),
            ("sys/firmware/acpi/tables/IVRS", "", "look for AMD-Vi"),
            ("proc/cpuinfo", "vendor_id\t: GenuineIntel\n", "turn VT-d on"),
            ("proc/cpuinfo", "vendor_id\t: AuthenticAMD\n", "AMD-Vi) on"),
            ("proc/cpuinfo", "CPU implementer\t: 0x41\n", "SMMU"),
        ])
    func noIOMMU(file: String, content: String, cure: String) throws {
        let bare = TemporaryDirectory()
        bare.directory("sys/bus/pci/devices")
        bare.file(file, content)
        let capture = try CapturedDirectory(bare.path)
        let readiness = Readiness.check(capture, try HostSnapshot.read(from: capture))
        let finding = try #require(readiness.findings.first { $0.id == .iommu })
        #expect(finding.level == .failure)
        #expect(finding.cure?.contains(cure) == true, "\(finding)")
        #expect(readiness.findings.first { $0.id == .groups }?.level == .failure)
    }

    @Test(
        "a module that is not loaded is looked for in the kernel's lists",
        arguments: [
            (
                "modules.dep", "kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/drivers/vfio/vfio.ko.xz\n",
                Finding.Level.ok
            ),
            ("modules.dep", "kernel/drivers/vfio/pci/vfio_pci.ko:\n", .ok),
            ("modules.builtin", "kernel/drivers/vfio/pci/vfio-pci.ko\n", .ok),
            ("modules.dep", "kernel/drivers/vfio/pci/vfio-pci-core.ko.xz:\n", .failure),
            ("modules.dep", "", .failure),
        ])
    func modules(list: String, content: String, level: Finding.Level) throws {
        host.tree.removeDirectory("sys/bus/pci/drivers/vfio-pci")
        host.tree.removeDirectory("sys/module/vfio_pci")
        #expect(try host.finding(.vfioPCI).level == .failure, "neither loaded nor any list of modules")
        host.tree.file("lib/modules/6.12.1-amd64/" + list, content)
        #expect(try host.finding(.vfioPCI).level == level)
        #expect(try host.finding(.vfioPCI).evidence.contains(list))
    }

    @Test("without iommufd containers do, without containers iommufd does, without both nothing does")
    func backends() throws {
        host.tree.file("lib/modules/6.12.1-amd64/modules.dep", "kernel/drivers/net/igb.ko:\n")
        host.tree.removeDirectory("sys/module/iommufd")
        #expect(try host.finding(.iommufd).level == .note)
        #expect(try host.finding(.container).level == .ok)
        host.tree.removeDirectory("sys/module/vfio_iommu_type1")
        #expect(try host.finding(.container).level == .failure)
        host.tree.directory("sys/module/iommufd")
        #expect(try host.finding(.container).level == .note)
    }

    @Test("nodes for each device: as the loaded VFIO says, or else the kernel's configuration")
    func cdev() throws {
        host.tree.file("proc/devices", "Character devices:\n511 vfio\n")
        #expect(try host.finding(.cdev).level == .note)
        host.tree.removeDirectory("sys/module/vfio")
        host.tree.file("boot/config-6.12.1-amd64", "CONFIG_VFIO=m\nCONFIG_VFIO_DEVICE_CDEV=y\n")
        #expect(try host.finding(.cdev).level == .ok)
        host.tree.file("boot/config-6.12.1-amd64", "# CONFIG_VFIO_DEVICE_CDEV is not set\n")
        #expect(try host.finding(.cdev).level == .note)
    }

    @Test("without interrupt remapping VFIO refuses, unless told to take the risk")
    func interruptRemapping() throws {
        host.tree.file("proc/interrupts", "  24:  0  0  PCI-MSI-0000:01:00.0  0-edge  eth0\n")
        #expect(try host.finding(.interruptRemapping).level == .failure)
        host.tree.file("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "N\n")
        #expect(try host.finding(.interruptRemapping).level == .failure)
        host.tree.file("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "Y\n")
        #expect(try host.finding(.interruptRemapping).level == .warning)
        host.tree.file("proc/interrupts", " 24:  0  ITS-PCI-MSI-0000:01:00.0  0 Edge eth0\n")
        #expect(try host.finding(.interruptRemapping).level == .ok)
    }

    @Test("the limit on pinned memory counts, unless the process is above it")
    func memlock() throws {
        host.memlock("8388608              8388608              bytes")
        #expect(try host.finding(.memlock).level == .warning)
        #expect(try host.finding(.memlock).evidence.contains("8 MiB"))
        host.tree.file("proc/self/status", "CapEff:\t000001ffffffffff\n")
        #expect(try host.finding(.memlock).level == .ok)
    }

    @Test("the names of the findings are for scripts, and stay")
    func names() {
        #expect(
            Finding.Subject.allCases.map(\.rawValue) == [
                "iommu", "groups", "vfio-pci", "iommufd", "container", "cdev", "interrupt-remapping", "access",
                "memlock",
                "device-kind", "device-group", "device-viable", "device-unused", "device-reserved-memory",
                "device-reset",
                "device-attributes",
            ])
    }
}

@Suite("Is this device ready?")
struct DeviceReadinessTests {
    let host = ReadyHost()

    @Test("not while somebody uses it, and the cure says what to do")
    func used() throws {
        host.tree.link("sys/class/net/eth0", to: "../../devices/pci0000:00/0000:01:00.0/net/eth0")
        host.tree.link(ReadyHost.home + "/net/eth0/master", to: "../bond0")
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
}

internal import Host
internal import HostAccess
internal import Readiness
internal import TestSupport
internal import PCI
internal import Testing

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
}

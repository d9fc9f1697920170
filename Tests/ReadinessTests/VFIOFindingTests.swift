internal import Readiness
internal import TestSupport
internal import PCI
internal import Testing

@Suite("Whether VFIO wants an IOMMU")
struct NoIOMMUTests {
    let host = ReadyHost()
    private let parameter = "sys/module/vfio/parameters/enable_unsafe_noiommu_mode"

    @Test("is told by its parameter, and the nodes that it gave out are named")
    func loaded() throws {
        #expect(try host.finding(.noiommu).evidence.contains("no other mode"))
        host.tree.file(parameter, "N\n")
        #expect(try host.finding(.noiommu).level == .ok)
        host.tree.file(parameter, "Y\n")
        host.tree.file("dev/vfio/noiommu-3", "")
        let finding = try host.finding(.noiommu)
        #expect(finding.level == .warning)
        #expect(finding.evidence.contains("/dev/vfio/noiommu-3"))
        #expect(finding.cure?.contains("echo N > /" + parameter) == true)
    }

    @Test("or, before it is loaded, by modprobe.d and the kernel's command line")
    func notLoaded() throws {
        host.tree.removeDirectory("sys/module/vfio")
        #expect(try host.finding(.noiommu).level == .ok)
        host.tree.file("etc/modprobe.d/vfio.conf", "# risky\noptions vfio \\\n  enable_unsafe_noiommu_mode=1\n")
        #expect(try host.finding(.noiommu).level == .warning)
        #expect(try host.finding(.noiommu).evidence.contains("/etc/modprobe.d/vfio.conf:2"))
        host.tree.file("etc/modprobe.d/vfio.conf", "options vfio enable_unsafe_noiommu_mode=0\n")
        #expect(try host.finding(.noiommu).level == .ok)
        host.tree.file("proc/cmdline", "quiet vfio.enable_unsafe_noiommu_mode=Y\n")
        #expect(try host.finding(.noiommu).evidence.contains("/proc/cmdline"))
    }
}

@Suite("A module that something keeps out")
struct ModulePreventionTests {
    let host = ReadyHost()

    init() {
        host.tree.removeDirectory("sys/bus/pci/drivers/vfio-pci")
        host.tree.removeDirectory("sys/module/vfio_pci")
        host.tree.file("lib/modules/6.12.1-amd64/modules.dep", "kernel/drivers/vfio/pci/vfio-pci.ko.xz:\n")
    }

    @Test("is a failure that names file and line")
    func prevented() throws {
        #expect(try host.finding(.vfioPCI).level == .ok)
        host.tree.file(
            "usr/lib/modprobe.d/hardening.conf", "install usb-storage /bin/true\ninstall vfio-pci /bin/false\n")
        let finding = try host.finding(.vfioPCI)
        #expect(finding.level == .failure)
        #expect(finding.evidence.contains("/usr/lib/modprobe.d/hardening.conf:2"))
    }

    @Test("a file of the same name in /etc hides it; a blacklist keeps nothing from who loads it by name")
    func hidden() throws {
        host.tree.file("usr/lib/modprobe.d/hardening.conf", "install vfio_pci /bin/false\n")
        host.tree.file("etc/modprobe.d/hardening.conf", "blacklist vfio-pci\n")
        #expect(try host.finding(.vfioPCI).level == .ok)
    }
}

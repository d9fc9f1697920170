internal import Readiness
internal import TestSupport
internal import PCI
internal import Testing

@Suite("How the IOMMU translates")
struct TranslationTests {
    let host = ReadyHost()

    @Test(
        "is told by the types of the groups, and what it means for guests is said",
        arguments: [
            ("DMA\n", "the DMA of host drivers is translated too: 1 group DMA "),
            ("DMA-FQ\n", "1 group DMA-FQ"),
            ("identity\n", "the DMA of host drivers is not translated: 1 group identity"),
        ])
    func types(type: String, evidence: String) throws {
        host.tree.file("sys/kernel/iommu_groups/12/type", type)
        let finding = try host.finding(.translation)
        #expect(finding.level == .ok)
        #expect(finding.evidence.contains(evidence), "\(finding.evidence)")
        #expect(finding.evidence.contains("either way"))
    }

    @Test("names the kernel argument that lets host drivers pass, and that only some do")
    func passThrough() throws {
        host.function("0000:03:00.0", class: "20000", driver: nil, group: 13)
        host.tree.file("sys/kernel/iommu_groups/13/type", "identity\n")
        #expect(try host.finding(.translation).evidence.contains("some host drivers"))
        host.tree.file("sys/kernel/iommu_groups/12/type", "identity\n")
        host.tree.file("proc/cmdline", "quiet iommu=pt\n")
        #expect(try host.finding(.translation).evidence.contains("iommu=pt in /proc/cmdline"))
    }

    @Test("is not known where the kernel does not say, and not asked without groups")
    func unknown() throws {
        #expect(host.tree.remove("sys/kernel/iommu_groups/12/type"))
        #expect(try host.finding(.translation).level == .note)
        host.tree.removeDirectory("sys/bus/pci/devices")
        host.tree.removeDirectory("sys/kernel/iommu_groups")
        host.tree.directory("sys/bus/pci/devices")
        #expect(try host.findings(.translation).isEmpty)
    }
}

@Suite("How interrupts reach a guest")
struct InterruptFindingTests {
    let host = ReadyHost()

    @Test("remapping that the command line turned off is a failure that names the option")
    func turnedOff() throws {
        host.tree.file("proc/interrupts", "  24:  0  0  PCI-MSI-0000:01:00.0  0-edge  eth0\n")
        host.tree.file("proc/cmdline", "quiet intremap=off\n")
        let finding = try host.finding(.interruptRemapping)
        #expect(finding.level == .failure)
        #expect(finding.cure?.contains("take intremap=off off") == true)
    }

    @Test("remapping is not known where the table may not be looked at")
    func forbidden() throws {
        let finding = try host.finding(.interruptRemapping) {
            PermissionedHost(base: $0, forbidden: ["/proc/interrupts"])
        }
        #expect(finding.level == .note)
        #expect(finding.evidence.contains("not permitted"))
    }

    @Test("posted, where the unit has it and KVM uses it; the counters are told")
    func posted() throws {
        host.tree.file(
            "proc/interrupts",
            "  24:  0  0  IR-PCI-MSI  0-edge  eth0\nPIN:  5  7  Posted-interrupt notification event\n"
                + "NPI:  0  0  Nested posted-interrupt event\n")
        let finding = try host.finding(.postedInterrupts)
        #expect(finding.level == .ok)
        #expect(finding.evidence.contains("PIN 12 and NPI 0"), "\(finding.evidence)")
    }

    @Test("not posted, where one unit lacks it, or KVM was told to do without")
    func notPosted() throws {
        host.tree.file("sys/module/kvm_intel/parameters/enable_apicv", "N\n")
        #expect(try host.finding(.postedInterrupts).level == .note)
        #expect(try host.finding(.postedInterrupts).cure?.contains("enable_apicv=1") == true)
        host.tree.file("sys/class/iommu/dmar1/intel-iommu/cap", "d2078c106f0466\n")
        let finding = try host.finding(.postedInterrupts)
        #expect(finding.level == .note)
        #expect(finding.evidence.hasPrefix("dmar1 has no posted interrupts (bit 59"))
    }

    @Test("on AMD by the bit for guest interrupts; elsewhere it is not known")
    func others() throws {
        host.tree.removeDirectory("sys/class/iommu")
        host.tree.file("sys/class/iommu/ivhd0/amd-iommu/features", "25bf732fa2295afe:1d\n")
        #expect(try host.finding(.postedInterrupts).level == .ok)
        host.tree.file("sys/class/iommu/ivhd0/amd-iommu/features", "25bf732fa2295a7e\n")
        #expect(try host.finding(.postedInterrupts).level == .note)
        host.tree.removeDirectory("sys/class/iommu")
        host.tree.directory("sys/class/iommu/smmu3.0x0000000009050000")
        #expect(try host.finding(.postedInterrupts).evidence.contains("not known"))
    }
}

internal import Host
internal import HostAccess
internal import Readiness
internal import TestSupport
internal import PCI
internal import Testing

@Suite("Memory for a guest")
struct MemoryFindingTests {
    let host = ReadyHost()

    @Test("the limit on pinned memory counts, unless the process is above it")
    func memlock() throws {
        host.memlock("8388608              8388608              bytes")
        #expect(try host.finding(.memlock).level == .warning)
        #expect(try host.finding(.memlock).evidence.contains("8 MiB"))
        host.tree.file("proc/self/status", "Uid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n")
        #expect(try host.finding(.memlock).level == .ok)
    }

    @Test("with a guest in mind each interface has its own need: a process's, and a user's with all that it runs")
    func bothBackends() throws {
        host.memlock("69793218560          69793218560          bytes")
        #expect(try host.finding(.memlockGroup, memory: "64G").level == .ok, "65G, exactly")
        #expect(try host.finding(.memlockIOMMUFD, memory: "64G").level == .ok)
        #expect(try host.findings(.memlock, memory: "64G").isEmpty, "these two speak in its place")
        // Another guest of the same user.
        host.tree.file("proc/self/status", "Uid:\t1000\t1000\t1000\t1000\nCapEff:\t0\n")
        host.tree.file("proc/4711/status", "Uid:\t1000\t1000\t1000\t1000\nVmPin:\t 2097152 kB\n")
        #expect(try host.finding(.memlockGroup, memory: "64G").level == .ok)
        let finding = try host.finding(.memlockIOMMUFD, memory: "64G")
        #expect(finding.level == .warning, "the other way is open")
        #expect(finding.evidence.contains("67G"), "\(finding.evidence)")
        #expect(finding.evidence.contains("2G are claimed by the other guests of user 1000"))
        #expect(finding.cure?.contains("LimitMEMLOCK=71940702208") == true)
    }

    @Test("a limit that neither interface can do with is a failure; one that the user may raise is not")
    func tooLow() throws {
        host.memlock("8388608              8388608              bytes")
        #expect(try host.finding(.memlockGroup, memory: "64G").level == .failure)
        #expect(try !host.check(memory: "64G").isReady)
        host.memlock("8388608              unlimited            bytes")
        #expect(try host.finding(.memlockGroup, memory: "64G").level == .warning)
        #expect(try host.finding(.memlockGroup, memory: "64G").cure == "ulimit -l 68157440")
        host.tree.file("proc/self/status", "Uid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n")
        #expect(try host.finding(.memlockGroup, memory: "64G").level == .ok)
    }

    @Test("several devices share one address space; behind a virtual IOMMU they do not, and that is said")
    func virtualIOMMU() throws {
        host.function("0000:03:00.0", class: "20000", driver: nil, group: 13)
        let evidence = try host.finding(.memlockGroup, "01:00.0", "03:00.0", memory: "4G").evidence
        #expect(evidence.contains("a guest of 4G with 2 devices in one address space may pin 5G"), "\(evidence)")
        #expect(evidence.contains("each device pins all of RAM: 9G"))
    }

    @Test(
        "a container's mappings: enough page by page, enough in large pieces, or not even so",
        arguments: [
            ("128M", Finding.Level.ok, nil), ("64G", .note, "echo 16842751 > "), ("256G", .warning, "echo 196607 > "),
        ])
    func dmaEntries(memory: String, level: Finding.Level, cure: String?) throws {
        #expect(try host.finding(.dmaEntries, memory: memory).level == level)
        #expect(try host.finding(.dmaEntries, memory: memory).evidence.contains("its default"))
        host.tree.file("sys/module/vfio_iommu_type1/parameters/dma_entry_limit", "65535\n")
        let finding = try host.finding(.dmaEntries, memory: memory)
        #expect(finding.level == level)
        #expect(finding.evidence.contains("65535 mappings (/sys/module/vfio_iommu_type1/parameters/dma_entry_limit)"))
        if let cure { #expect(finding.cure?.contains(cure) == true, "\(finding.cure ?? "")") }
    }

    @Test("a raised limit on mappings counts, nonsense does not end the check")
    func dmaEntryLimit() throws {
        host.tree.file("sys/module/vfio_iommu_type1/parameters/dma_entry_limit", "4294967295\n")
        #expect(try host.finding(.dmaEntries, memory: "256G").level == .ok)
        host.tree.file("sys/module/vfio_iommu_type1/parameters/dma_entry_limit", "many\n")
        #expect(try host.finding(.dmaEntries, memory: "256G").level == .note)
    }

    @Test(
        "the memory itself: available, in huge pages, to be freed, or not there",
        arguments: [("1G", Finding.Level.ok), ("3G", .ok), ("6G", .warning), ("16G", .failure)])
    func available(memory: String, level: Finding.Level) throws {
        host.tree.file(
            "proc/meminfo",
            "MemTotal:        8388608 kB\nMemAvailable:    2097152 kB\nHugePages_Free:     2048\nHugepagesize:       2048 kB\n"
        )
        #expect(try host.finding(.guestMemory, memory: memory).level == level)
        #expect(try host.findings(.guestMemory).isEmpty, "without a guest nothing is asked")
    }
}

@Suite("Huge pages")
struct HugePageTests {
    let host = ReadyHost()

    private func node(_ node: Int, _ size: String, reserved: Int, free: Int) {
        let directory = "sys/devices/system/node/node\(node)/hugepages/hugepages-\(size)"
        host.tree.file(directory + "/nr_hugepages", "\(reserved)\n")
        host.tree.file(directory + "/free_hugepages", "\(free)\n")
    }

    @Test("are told node by node; a host without any is a note")
    func counted() throws {
        #expect(try host.findings(.hugePages).isEmpty, "nothing of them in sysfs")
        let all = "sys/kernel/mm/hugepages/hugepages-2048kB/"
        host.tree.file(all + "nr_hugepages", "16\n")
        host.tree.file(all + "free_hugepages", "16\n")
        #expect(try host.finding(.hugePages, memory: "32M").level == .ok, "a kernel without NUMA")
        node(0, "2048kB", reserved: 0, free: 0)
        #expect(try host.finding(.hugePages).level == .note)
        node(0, "2048kB", reserved: 1024, free: 512)
        node(1, "1048576kB", reserved: 4, free: 4)
        let finding = try host.finding(.hugePages)
        #expect(finding.level == .ok)
        #expect(
            finding.evidence.contains("node 0 has 512 of 1024 free, of 2M each and node 1 has 4 of 4 free, of 1G each"))
    }

    @Test("hold the guest near its device, or only elsewhere, or nowhere")
    func against() throws {
        node(0, "2048kB", reserved: 2048, free: 2048)
        node(1, "2048kB", reserved: 512, free: 512)
        host.tree.file(ReadyHost.home + "/numa_node", "1\n")
        #expect(try host.finding(.hugePages, ReadyHost.address, memory: "1G").level == .ok)
        let far = try host.finding(.hugePages, ReadyHost.address, memory: "4G")
        #expect(far.level == .warning)
        #expect(
            far.evidence.contains("on node 1 do not hold 4G, though those of all nodes together do"), "\(far.evidence)")
        #expect(
            far.cure?.hasPrefix("echo 2048 > /sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages")
                == true)
        #expect(try host.finding(.hugePages, memory: "4G").level == .ok, "no device, no node to be near")
        #expect(try host.finding(.hugePages, memory: "8G").level == .warning)
    }

    @Test("that were never reserved are a note with the command that would")
    func none() throws {
        node(0, "2048kB", reserved: 0, free: 0)
        let finding = try host.finding(.hugePages, memory: "3M")
        #expect(finding.level == .note)
        #expect(finding.cure?.contains("echo 2 > ") == true)
    }

    @Test("that make no sense are passed over, however large the numbers")
    func nonsense() throws {
        node(0, "18446744073709551615kB", reserved: 1, free: 1)
        node(0, "0kB", reserved: 1, free: 1)
        node(1, "2048kB", reserved: .max, free: .max)
        #expect(try host.finding(.hugePages, memory: "1T").level == .ok)
    }
}

internal import Host
internal import VFIO

/// The findings about memory: how much may be pinned, how much there is, in which pages.
struct MemoryFindings {
    let files: HostFiles
    let devices: [Device]
    let guestMemory: MemorySize?

    var findings: [Finding] {
        let hugePages = HugePageFinding(nodes: NUMANodes(on: files), devices: devices, guestMemory: guestMemory).finding
        guard let guestMemory else { return [memlock] + [hugePages].compactMap(\.self) }
        return memlock(against: guestMemory)
            + [dmaEntries(guestMemory), available(guestMemory), hugePages].compactMap(\.self)
    }

    private var status: ProcessStatus? { ProcessStatus(of: "self", on: files.host) }
    private var limit: LockedMemoryLimit? { LockedMemoryLimit(of: "self", on: files.host) }

    private static let limitPlace = "Max locked memory in /proc/self/limits"

    // MARK: pinning, without a guest in mind

    private var memlock: Finding {
        if status?.mayLockAnyMemory == true {
            return Finding(
                .memlock, .ok, "this process may pin any amount of memory (CAP_IPC_LOCK in /proc/self/status)")
        }
        guard let limit else { return Finding(.memlock, .note, "not known: /proc/self/limits cannot be read") }
        guard let soft = limit.soft else {
            return Finding(.memlock, .ok, "this process may pin any amount of memory (\(Self.limitPlace): unlimited)")
        }
        return Finding(
            .memlock, .warning,
            "this process may pin \(soft >> 20) MiB (\(Self.limitPlace)); a guest needs all of its memory pinned, and a "
                + "little more (--memory says how much)",
            cure:
                "raise it (ulimit -l, or LimitMEMLOCK= of the service) above the guest's memory; vfioctl run --user does"
        )
    }

    // MARK: pinning, for a guest

    /// What each of the kernel's interfaces wants to pin: type1 counts a process (mm->locked_vm), iommufd a user.
    private func memlock(against memory: MemorySize) -> [Finding] {
        let uid = status?.uid
        let claimed = uid.map { files.host.lockedMemory(claimedBy: $0) } ?? 0
        let group = LockedMemoryBudget(guestMemory: memory.bytes)
        let iommufd = LockedMemoryBudget(guestMemory: memory.bytes, alreadyClaimed: claimed)
        let company = devices.count > 1 ? " with \(devices.count) devices in one address space" : ""
        let allowance = MemorySize(bytes: LockedMemoryBudget.allowance)
        let parts = "its RAM, and \(allowance) for all else that devices reach"
        let virtual =
            devices.count > 1
            ? "; behind a virtual IOMMU each device pins all of RAM: "
                + "\(amount(LockedMemoryBudget(guestMemory: memory.bytes.multipliedOrMax(UInt64(devices.count))).limit))"
            : ""
        let others =
            claimed == 0
            ? "nothing else of user \(uid.map(String.init) ?? "?") counts"
            : "\(amount(claimed)) are claimed by the other guests of user \(uid.map(String.init) ?? "?")"
        let needs: [(id: Finding.Subject, budget: LockedMemoryBudget, text: String)] = [
            (
                .memlockGroup, group,
                "by groups and containers, a guest of \(memory)\(company) may pin \(amount(group.limit)): \(parts)\(virtual)"
            ),
            (
                .memlockIOMMUFD, iommufd,
                "by iommufd, a guest of \(memory)\(company) may bring what its user has pinned to \(amount(iommufd.limit)): "
                    + "\(parts); \(others)\(virtual)"
            ),
        ]
        return needs.map { need in
            let other = need.id == .memlockGroup ? iommufd : group
            return finding(need.id, need.budget.limit, need.text, otherHolds: holds(other.limit))
        }
    }

    /// Whether this process may pin that much; nil when its limit is not known.
    private func holds(_ bytes: UInt64) -> Bool? {
        if status?.mayLockAnyMemory == true { return true }
        guard let limit else { return nil }
        return limit.soft.map { $0 >= bytes } ?? true
    }

    private func finding(_ id: Finding.Subject, _ need: UInt64, _ text: String, otherHolds: Bool?) -> Finding {
        if status?.mayLockAnyMemory == true {
            return Finding(id, .ok, "\(text); this process may pin any amount (CAP_IPC_LOCK in /proc/self/status)")
        }
        guard let limit else { return Finding(id, .note, "\(text); the limit is not known (/proc/self/limits)") }
        guard let soft = limit.soft, soft < need else {
            let may = limit.soft.map { amount($0) } ?? "any amount"
            return Finding(id, .ok, "\(text); this process may pin \(may) (\(Self.limitPlace))")
        }
        let mayRaise = limit.hard.map { $0 >= need } ?? true
        // A limit that the user can raise, or another way that is open, is a drawback and no more.
        let level: Finding.Level = mayRaise || otherHolds == true ? .warning : .failure
        let kibibytes = need / 1024 + (need % 1024 == 0 ? 0 : 1)
        return Finding(
            id, level, "\(text); this process may pin \(amount(soft)) (\(Self.limitPlace))",
            cure: mayRaise
                ? "ulimit -l \(kibibytes)"
                : "as root: vfioctl run --user, with the same --memory, raises it; or LimitMEMLOCK=\(need) for a service, "
                    + "or a line for the user in /etc/security/limits.conf")
    }

    // MARK: mappings

    /// type1 allows a container `dma_entry_limit` mappings at a time, 65,535 unless told otherwise; iommufd has no such limit.
    private func dmaEntries(_ memory: MemorySize) -> Finding {
        let path = "/sys/module/vfio_iommu_type1/parameters/dma_entry_limit"
        let standard: UInt64 = 65_535
        let limit: UInt64
        let place: String
        switch files.text(path) {
        case .content(let text):
            guard let number = UInt64(text) else {
                return Finding(.dmaEntries, .note, "not known: \(path) holds no number")
            }
            (limit, place) = (number, path)
        case .forbidden: return Finding(.dmaEntries, .note, "not permitted to look at \(path)")
        case .absent, .unreadable: (limit, place) = (standard, "its default; vfio_iommu_type1 is not loaded")
        }
        let small = memory.bytes / 4096
        let large = memory.bytes >> 21
        let allowed = "a container may have \(limit) mappings (\(place))"
        guard small > limit else {
            return Finding(.dmaEntries, .ok, "\(allowed): enough for \(memory) even page by page (\(small))")
        }
        let cure =
            "echo \(large > limit ? large.addingOrMax(standard) : small.addingOrMax(standard)) > \(path) before the guest starts"
        guard large > limit else {
            return Finding(
                .dmaEntries, .note,
                "\(allowed): enough for \(memory) in pieces of 2M (\(large)) and for QEMU, which maps RAM in a few; page by "
                    + "page, as behind a virtual IOMMU, it would take \(small). iommufd has no such limit",
                cure: "where that is so, \(cure)")
        }
        return Finding(
            .dmaEntries, .warning,
            "\(allowed): too few for \(memory) in pieces of 2M (\(large)), as DPDK and SPDK map it; QEMU maps RAM in a few. "
                + "iommufd has no such limit",
            cure: cure)
    }

    // MARK: what there is

    private func available(_ memory: MemorySize) -> Finding? {
        let path = "/proc/meminfo"
        guard let text = files.text(path).content else { return nil }
        var fields: [Substring: UInt64] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 2, let number = UInt64(words[1]) else { continue }
            fields[words[0].dropLast()] = number
        }
        guard let total = fields["MemTotal"]?.multipliedOrMax(1024),
            let free = fields["MemAvailable"]?.multipliedOrMax(1024)
        else { return nil }
        let huge = (fields["HugePages_Free"] ?? 0).multipliedOrMax((fields["Hugepagesize"] ?? 0).multipliedOrMax(1024))
        if free >= memory.bytes {
            return Finding(.guestMemory, .ok, "\(amount(free)) are available for \(memory) (MemAvailable in \(path))")
        }
        if huge >= memory.bytes {
            return Finding(
                .guestMemory, .ok, "\(amount(huge)) of huge pages are free for \(memory) (HugePages_Free in \(path))")
        }
        guard total >= memory.bytes else {
            return Finding(
                .guestMemory, .failure,
                "the host has \(amount(total)) in all, and the guest would pin \(memory) "
                    + "(MemTotal in \(path))",
                cure: "give the guest less")
        }
        return Finding(
            .guestMemory, .warning,
            "\(amount(free)) are available, and the guest would pin \(memory), which cannot be swapped (MemAvailable in "
                + "\(path))",
            cure: "end what else needs memory, or give the guest less")
    }

    /// `65G`, `8M`, or MiB with what is left over cut off.
    private func amount(_ bytes: UInt64) -> String {
        bytes % (1 << 20) == 0 || bytes < 1 << 20
            ? MemorySize(bytes: bytes).description : MemorySize(bytes: (bytes >> 20) << 20).description
    }
}

extension UInt64 {
    func addingOrMax(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    func multipliedOrMax(_ factor: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}

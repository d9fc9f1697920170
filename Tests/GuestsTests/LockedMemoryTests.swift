import Guests
import Testing

@Suite("How much memory a guest may lock")
struct LockedMemoryTests {
    private static let gib: UInt64 = 1 << 30

    @Test("a guest alone needs its RAM and the allowance")
    func alone() {
        #expect(LockedMemoryBudget(guestMemory: 4 * Self.gib).limit == 5 * Self.gib)
    }

    @Test("a second guest of the same user needs the sum: what the first has pinned counts")
    func pinned() {
        let host = ProcessTable(processes: [
            100: .init(uid: 1000, pinnedKiB: 2 << 20), 101: .init(uid: 1000, pinnedKiB: 1 << 20),
            102: .init(uid: 1001, pinnedKiB: 64 << 20),
        ])
        let claimed = LockedMemoryBudget.claimed(by: 1000, on: host)
        #expect(claimed == 3 * Self.gib)
        #expect(LockedMemoryBudget(guestMemory: 4 * Self.gib, alreadyClaimed: claimed).limit == 8 * Self.gib)
    }

    @Test("a guest that has only just been started counts with all that it may come to pin")
    func promised() {
        let host = ProcessTable(processes: [
            100: .init(uid: 1000, lockLimit: "5368709120", open: ["/dev/null", "/dev/iommu"]),
            101: .init(uid: 1000, pinnedKiB: 1024, lockLimit: "8388608", open: ["/dev/null"]),
        ])
        #expect(LockedMemoryBudget.claimed(by: 1000, on: host) == 5 * Self.gib)
    }

    @Test("an unlimited guest promises nothing beyond what it has pinned")
    func unlimited() {
        let host = ProcessTable(processes: [100: .init(uid: 1000, pinnedKiB: 512, open: ["/dev/iommu"])])
        #expect(LockedMemoryBudget.claimed(by: 1000, on: host) == 512 * 1024)
    }

    @Test("more than a number can hold is no limit at all, not a small one")
    func overflow() {
        let host = ProcessTable(processes: [100: .init(uid: 1000, pinnedKiB: .max)])
        #expect(LockedMemoryBudget.claimed(by: 1000, on: host) == .max)
        #expect(LockedMemoryBudget(guestMemory: .max, alreadyClaimed: 1).limit == .max)
    }

    @Test(
        "sizes are read as people write them",
        arguments: [
            ("4G", 4 << 30), ("512M", 512 << 20), ("64k", 64 << 10), ("1T", 1 << 40), ("2GiB", 2 << 30),
            ("1024", 1024), ("7b", 7),
        ] as [(String, UInt64)])
    func sizes(text: String, bytes: UInt64) {
        #expect(MemorySize(text)?.bytes == bytes)
    }

    @Test(
        "anything else is refused", arguments: ["", "G", "-1G", "+1G", " 1G", "1 G", "1.5G", "1P", "1GG", "99999999T"])
    func nonsense(text: String) {
        #expect(MemorySize(text) == nil)
    }

    @Test("a size is written in its largest whole unit", arguments: ["4G", "1536M", "1K", "1", "0"])
    func written(text: String) {
        #expect(MemorySize(text)?.description == text)
    }
}

@Suite("Who has a file open")
struct ProcessDescriptorsTests {
    private let host = ProcessTable(processes: [7: .init(uid: 0, open: ["/dev/null", "/dev/vfio/devices/vfio3"])])

    @Test("is told by the links of the process; one that has ended has nothing open")
    func open() {
        #expect(host.process(7, hasOpen: "/dev/vfio/devices/vfio3") == true)
        #expect(host.process(7, hasOpen: "/dev/vfio/devices/vfio30") == false)
        #expect(host.process(8, hasOpen: "/dev/null") == false)
    }

    @Test("cannot be told of a process that may not be looked into")
    func denied() {
        let denied = ProcessTable(processes: [:], mayNotLookInto: [9])
        #expect(denied.process(9, hasOpen: "/dev/null") == nil)
    }
}

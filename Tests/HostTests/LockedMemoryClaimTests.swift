import Host
import HostAccess
import Testing

@Suite("How much memory a user's guests have claimed")
struct LockedMemoryClaimTests {
    private static let gib: UInt64 = 1 << 30

    @Test("a second guest of the same user needs the sum: what the first has pinned counts")
    func pinned() {
        let host = FakeProcesses(processes: [
            100: .init(uid: 1000, pinnedKiB: 2 << 20), 101: .init(uid: 1000, pinnedKiB: 1 << 20),
            102: .init(uid: 1001, pinnedKiB: 64 << 20),
        ])
        #expect(host.lockedMemory(claimedBy: 1000) == 3 * Self.gib)
    }

    @Test("a guest that has only just been started counts with all that it may come to pin")
    func promised() {
        let host = FakeProcesses(processes: [
            100: .init(uid: 1000, lockLimit: "5368709120", open: ["/dev/null", "/dev/iommu"]),
            101: .init(uid: 1000, pinnedKiB: 1024, lockLimit: "8388608", open: ["/dev/null"]),
        ])
        #expect(host.lockedMemory(claimedBy: 1000) == 5 * Self.gib)
    }

    @Test("an unlimited guest promises nothing beyond what it has pinned")
    func unlimited() {
        let host = FakeProcesses(processes: [100: .init(uid: 1000, pinnedKiB: 512, open: ["/dev/iommu"])])
        #expect(host.lockedMemory(claimedBy: 1000) == 512 * 1024)
    }

    @Test("more than a number can hold is no limit at all, not a small one")
    func overflow() {
        let host = FakeProcesses(processes: [100: .init(uid: 1000, pinnedKiB: .max)])
        #expect(host.lockedMemory(claimedBy: 1000) == .max)
    }
}

@Suite("What a process says of itself")
struct ProcessStatusTests {
    private let host = FakeProcesses(processes: [7: .init(uid: 1000, pinnedKiB: 4, lockLimit: "8388608")])

    @Test("is its user, what it has pinned, and how much it may lock")
    func read() throws {
        let status = try #require(ProcessStatus(of: "7", on: host))
        #expect(status.uid == 1000)
        #expect(status.pinned == 4096)
        #expect(!status.mayLockAnyMemory)
        let limit = try #require(LockedMemoryLimit(of: "7", on: host))
        #expect(limit.soft == 8 << 20)
        #expect(limit.hard == nil, "unlimited")
    }

    @Test("is nothing once it has ended")
    func ended() {
        #expect(ProcessStatus(of: "8", on: host) == nil)
        #expect(LockedMemoryLimit(of: "8", on: host) == nil)
    }
}

@Suite("Who has a file open")
struct ProcessDescriptorsTests {
    private let host = FakeProcesses(processes: [7: .init(uid: 0, open: ["/dev/null", "/dev/vfio/devices/vfio3"])])

    @Test("is told by the links of the process; one that has ended has nothing open")
    func open() {
        #expect(host.process(7, hasOpen: "/dev/vfio/devices/vfio3") == true)
        #expect(host.process(7, hasOpen: "/dev/vfio/devices/vfio30") == false)
        #expect(host.process(8, hasOpen: "/dev/null") == false)
    }

    @Test("cannot be told of a process that may not be looked into")
    func denied() {
        let denied = FakeProcesses(processes: [:], mayNotLookInto: [9])
        #expect(denied.process(9, hasOpen: "/dev/null") == nil)
    }
}

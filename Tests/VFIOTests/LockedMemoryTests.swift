import VFIO
import Testing

@Suite("How much memory a guest may lock")
struct LockedMemoryTests {
    private static let gib: UInt64 = 1 << 30

    @Test("a guest alone needs its RAM and the allowance")
    func alone() {
        #expect(LockedMemoryBudget(guestMemory: 4 * Self.gib).limit == 5 * Self.gib)
    }

    @Test("what the user's other guests have claimed is added, and more than a number can hold is no limit at all")
    func claimed() {
        #expect(LockedMemoryBudget(guestMemory: 4 * Self.gib, alreadyClaimed: 3 * Self.gib).limit == 8 * Self.gib)
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

internal import Host
internal import VFIO

/// The finding about huge pages: how many there are on each node, and whether a guest's RAM fits into them where its devices
/// are. A guest does without, at the cost of more page tables, of the IOMMU too, and of a slower start.
struct HugePageFinding {
    let nodes: NUMANodes
    let devices: [Device]
    let guestMemory: MemorySize?

    private var directory: String {
        nodes.numbers.isEmpty ? "/sys/kernel/mm/hugepages" : "/sys/devices/system/node/node*/hugepages"
    }

    var finding: Finding? {
        guard !nodes.pools.isEmpty else { return nil }
        let reserved = nodes.pools.filter { $0.reserved > 0 }
        let seen = list(reserved.map(Self.described)) + " (\(directory))"
        guard let guestMemory else {
            guard reserved.isEmpty else { return Finding(.hugePages, .ok, seen) }
            return Finding(.hugePages, .note, "none are reserved (\(directory)); a guest does without")
        }
        let wanted = Set(devices.compactMap(\.numaNode)).intersection(nodes.numbers)
        let everywhere = Set(nodes.pools.map(\.node))
        let near = wanted.isEmpty ? everywhere : wanted
        let place =
            wanted.isEmpty ? "" : " on \(wanted.count == 1 ? "node" : "nodes") \(list(near.sorted().map(String.init)))"
        guard !reserved.isEmpty else {
            return Finding(
                .hugePages, .note,
                "none are reserved (\(directory)): a guest of \(guestMemory) gets ordinary pages",
                cure: cure(guestMemory, near: near).map { "for huge ones, \($0)" })
        }
        let sizes = Set(reserved.map(\.size)).sorted(by: >)
        if let size = sizes.first(where: { free($0, on: near) >= guestMemory.bytes }) {
            return Finding(
                .hugePages, .ok,
                "\(guestMemory) fits into the free pages of \(MemorySize(bytes: size))\(place): \(seen)")
        }
        let elsewhere = sizes.contains { free($0, on: everywhere) >= guestMemory.bytes }
        return Finding(
            .hugePages, .warning,
            "the free huge pages\(place) do not hold \(guestMemory)"
                + (elsewhere ? ", though those of all nodes together do" : "") + ": \(seen)",
            cure: cure(guestMemory, near: near))
    }

    /// `node 0 has 512 of 1024 free, of 2M each`.
    private static func described(_ pool: NUMANodes.Pool) -> String {
        "node \(pool.node) has \(pool.free) of \(pool.reserved) free, of \(MemorySize(bytes: pool.size)) each"
    }

    private func free(_ size: UInt64, on near: Set<Int>) -> UInt64 {
        nodes.pools.filter { $0.size == size && near.contains($0.node) }
            .reduce(0) { $0.addingOrMax($1.free.multipliedOrMax($1.size)) }
    }

    /// The command that reserves enough on one node near the devices, of the size that has most, or else of the smallest.
    private func cure(_ guestMemory: MemorySize, near: Set<Int>) -> String? {
        let pools = nodes.pools.filter { near.contains($0.node) }
        let most = pools.max { $0.reserved.multipliedOrMax($0.size) < $1.reserved.multipliedOrMax($1.size) }
        guard
            let pool = most.flatMap({ $0.reserved > 0 ? $0 : nil })
                ?? pools.min(by: { ($0.size, $0.node) < ($1.size, $1.node) })
        else { return nil }
        let held = free(pool.size, on: near)
        let missing = guestMemory.bytes > held ? guestMemory.bytes - held : 0
        let pages = pool.reserved.addingOrMax(missing / pool.size + (missing % pool.size == 0 ? 0 : 1))
        return "echo \(pages) > \(pool.path), early after the start, while memory is in one piece"
    }
}

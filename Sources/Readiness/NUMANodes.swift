/// The memory of a host's NUMA nodes, as /sys/devices/system/node has it.
struct NUMANodes {
    /// Huge pages of one size on one node.
    struct Pool: Equatable {
        var node: Int
        /// Of one page, in bytes.
        var size: UInt64
        var reserved: UInt64
        var free: UInt64
        /// The file that reserves more.
        var path: String
    }

    /// The nodes' numbers, ascending; none where sysfs has no nodes.
    private(set) var numbers: [Int] = []
    /// Huge pages, by node and size.
    private(set) var pools: [Pool] = []

    private static let directory = "/sys/devices/system/node"
    private static let allPools = "/sys/kernel/mm/hugepages"

    init(on files: HostFiles) {
        numbers = files.names(in: Self.directory).compactMap { name in
            name.hasPrefix("node") ? Int(name.dropFirst(4)).flatMap { $0 >= 0 ? $0 : nil } : nil
        }.sorted()
        // A kernel without NUMA has one pool of each size, and no nodes.
        let places =
            numbers.isEmpty ? [(0, Self.allPools)] : numbers.map { ($0, "\(Self.directory)/node\($0)/hugepages") }
        for (node, directory) in places { pools += Self.pools(of: node, in: directory, files) }
        pools.sort { ($0.node, $0.size) < ($1.node, $1.size) }
    }

    private static func pools(of node: Int, in directory: String, _ files: HostFiles) -> [Pool] {
        files.names(in: directory).compactMap { name in
            // `hugepages-2048kB`.
            guard name.hasPrefix("hugepages-"), name.hasSuffix("kB"),
                let kib = UInt64(name.dropFirst("hugepages-".count).dropLast(2)), (4...1 << 30).contains(kib),
                let reserved = files.text("\(directory)/\(name)/nr_hugepages").content.flatMap({ UInt64($0) }),
                let free = files.text("\(directory)/\(name)/free_hugepages").content.flatMap({ UInt64($0) })
            else { return nil }
            return Pool(
                node: node, size: kib << 10, reserved: reserved, free: free,
                path: "\(directory)/\(name)/nr_hugepages")
        }
    }
}

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

    init(on files: HostFiles) {
        numbers = files.names(in: Self.directory).compactMap { name in
            name.hasPrefix("node") ? Int(name.dropFirst(4)).flatMap { $0 >= 0 ? $0 : nil } : nil
        }.sorted()
        for node in numbers {
            let directory = "\(Self.directory)/node\(node)/hugepages"
            for name in files.names(in: directory) {
                // `hugepages-2048kB`.
                guard name.hasPrefix("hugepages-"), name.hasSuffix("kB"),
                    let kib = UInt64(name.dropFirst("hugepages-".count).dropLast(2)), (4...1 << 30).contains(kib),
                    let reserved = files.text("\(directory)/\(name)/nr_hugepages").content.flatMap({ UInt64($0) }),
                    let free = files.text("\(directory)/\(name)/free_hugepages").content.flatMap({ UInt64($0) })
                else { continue }
                pools.append(
                    Pool(
                        node: node, size: kib << 10, reserved: reserved, free: free,
                        path: "\(directory)/\(name)/nr_hugepages"))
            }
        }
        pools.sort { ($0.node, $0.size) < ($1.node, $1.size) }
    }
}

internal import HostAccess

/// Which device nodes the host's processes have open, and which mount namespaces they are in: the outcome of one walk over
/// `/proc` (`ProcessWalk`), made once for every question about processes.
struct ProcessTable {
    /// A process that has something of interest open.
    struct Holder: Hashable {
        var pid: Int
        /// Its command's name (`comm`), never its arguments.
        var command: String
        /// The nodes below /dev that it has open, each once, sorted; one whose name is gone already still counts.
        var nodes: [String] = []
        /// The numbers of its descriptors of VFIO devices that it got from a group: no node names those.
        var vfioDescriptors: [String] = []

        /// `process 42 (qemu-system-x86)`.
        var description: String { "process \(pid) (\(command))" }
    }

    /// By pid.
    let holders: [Holder]
    /// Members of each mount namespace other than the reader's own, a few of each: one may end before it is asked.
    let otherNamespaces: [[Int]]
    /// What could not be looked at, one sentence each. Empty for root on a live host.
    let unseen: [String]

    private let positions: [String: [Int]]

    /// Walks `/proc`.
    ///
    /// - Parameters:
    ///   - host: the machine, or a capture of one.
    ///   - namespaces: whether mount namespaces are asked for.
    ///   - bounds: where the walk ends early; what it did not come to is among the unseen.
    init(on host: any HostAccess, namespaces: Bool = true, bounds: ProcessWalk.Bounds = .init()) {
        var walk = ProcessWalk(host, bounds: bounds)
        walk.run(namespaces: namespaces)
        holders = walk.holders
        otherNamespaces = walk.namespaces.sorted { $0.key < $1.key }.map(\.value)
        unseen = walk.unseen
        var positions: [String: [Int]] = [:]
        for (position, holder) in holders.enumerated() {
            for node in holder.nodes { positions[node, default: []].append(position) }
        }
        self.positions = positions
    }

    /// Every node that some process has open, sorted.
    var nodes: [String] { positions.keys.sorted() }

    /// Who has a node open, by pid.
    func holders(of node: String) -> [Holder] { positions[node]?.map { holders[$0] } ?? [] }
}

public import HostAccess

extension SimulatedHost {
    /// Writes the host as it is now into a new directory, as plain files and links: what `--root` reads.
    ///
    /// - Throws: `HostAccessError`, EEXIST when the directory is there already: nothing is ever mixed into another tree. When
    ///   something else goes wrong, what was written is removed.
    public func save(to directory: String) throws(HostAccessError) {
        var tree = CaptureTree()
        for (path, node) in snapshotOfNodes() where !path.isEmpty {
            tree.nodes[path] =
                switch node {
                case .directory: .directory
                case .file(let bytes): .file(bytes)
                case .link(let target): .link(target)
                }
        }
        var writer = try CaptureWriter(directory)
        try writer.write(tree)
        writer.keep()
    }
}

internal import Glibc
public import HostAccess
internal import Synchronization
internal import SystemPackage

extension SimulatedHost {
    /// Writes the host as it is now into a new directory, as plain files and links: what `--root` reads.
    ///
    /// - Throws: `HostAccessError`, EEXIST when the directory is there already: nothing is ever mixed into another tree.
    public func save(to directory: String) throws(HostAccessError) {
        try Self.make(directory)
        for (path, node) in snapshotOfNodes() where !path.isEmpty {
            let target = directory + path
            switch node {
            case .directory:
                try Self.make(target)
            case .file(let bytes):
                try Self.write(bytes, to: target)
            case .link(let link):
                guard unsafe symlink(link, target) == 0 else {
                    throw HostAccessError(.write, target, errno: Errno(rawValue: errno))
                }
            }
        }
    }

    private static func make(_ directory: String) throws(HostAccessError) {
        guard unsafe mkdir(directory, 0o755) == 0 else {
            throw HostAccessError(.write, directory, errno: Errno(rawValue: errno))
        }
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(HostAccessError) {
        do {
            let file = try FileDescriptor.open(
                FilePath(path), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            _ = try file.closeAfter { try file.writeAll(bytes) }
        } catch {
            // SystemPackage throws untyped, and only ever an Errno.
            throw HostAccessError(.write, path, errno: error as? Errno ?? .ioError)
        }
    }
}

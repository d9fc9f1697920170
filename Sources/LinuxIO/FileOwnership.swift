internal import CLinux

/// Who may do what with a file.
public struct FileOwnership: Hashable, Sendable {
    /// The kind of file, the set-id bits and the permissions: `st_mode`.
    public var mode: UInt32
    /// The owner's user id.
    public var owner: UInt32
    /// The owning group's id.
    public var group: UInt32
}

extension OwnedDescriptor {
    /// The mode, owner and group of what is at `path` below this directory, links followed: fstatat(2). Nothing is opened.
    public func ownership(of path: String) throws(SystemCallError) -> FileOwnership {
        var ownership = FileOwnership(mode: 0, owner: 0, group: 0)
        let result = unsafe clinux_ownership(rawValue, path, &ownership.mode, &ownership.owner, &ownership.group)
        _ = try checked(result, "fstatat", on: path)
        return ownership
    }
}

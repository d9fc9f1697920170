/// Who may read and write a file: its mode, owner and group (stat(2)).
public struct NodePermissions: Hashable, Sendable, CustomStringConvertible {
    /// The nine permission bits: 0o666.
    public var mode: UInt32
    /// The owner's user id.
    public var owner: UInt32
    /// The owning group's id.
    public var group: UInt32

    /// Makes permissions; of `mode`, only the permission bits are kept.
    public init(mode: UInt32, owner: UInt32, group: UInt32) {
        self.mode = mode & 0o777
        self.owner = owner
        self.group = group
    }

    /// Whether every user may read and write.
    public var isForEveryone: Bool { mode & 0o006 == 0o006 }

    /// Whether nobody but the owner may read and write, the group included.
    public var isForOwnerAlone: Bool { mode & 0o060 != 0o060 && !isForEveryone }

    /// As `stat -c '%04a %u:%g'` prints it: `0666 0:0`.
    public var description: String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: 4 - digits.utf8.count) + digits + " \(owner):\(group)"
    }
}

extension NodePermissions {
    /// Finds the line about a file among lines such as `0666 0:0 /dev/vfio/vfio`; nil when there is none that makes sense.
    init?(of path: String, in lines: String) {
        for line in lines.split(separator: "\n") {
            let fields = line.split(separator: " ", maxSplits: 2)
            guard fields.count == 3, fields[2] == path else { continue }
            let ids = fields[1].split(separator: ":").map { UInt32($0) }
            guard let mode = UInt32(fields[0], radix: 8), ids.count == 2, let owner = ids[0], let group = ids[1] else {
                return nil
            }
            self.init(mode: mode, owner: owner, group: group)
            return
        }
        return nil
    }
}

extension HostDirectory {
    /// Not known.
    public func permissions(of path: String) -> NodePermissions? { nil }
}

internal import CLinux
internal import Glibc

/// A user of this machine, as its user database (/etc/passwd, or what NSS asks) has it.
public struct UserAccount: Hashable, Sendable {
    /// The login name, by which supplementary groups are looked up.
    public let name: String
    /// The user id.
    public let uid: UInt32
    /// The id of the primary group.
    public let gid: UInt32

    /// The user this process acts as: geteuid(2).
    public static var currentID: UInt32 { geteuid() }

    /// Finds a user by name, or by number when no one has that name: getpwnam_r(3), getpwuid_r(3).
    ///
    /// - Returns: nil when the database has no such user.
    public static func find(_ user: String) throws(SystemCallError) -> UserAccount? {
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        if try checked(unsafe clinux_user_named(user, &uid, &gid), "getpwnam_r", on: user) == 0 {
            return UserAccount(name: user, uid: uid, gid: gid)
        }
        guard let number = UInt32(user), number != .max, user.utf8.first != UInt8(ascii: "+") else { return nil }
        var found: Int = 0
        let name = unsafe String(unsafeUninitializedCapacity: 256) { buffer in
            unsafe buffer.withMemoryRebound(to: CChar.self) { text in
                guard let start = text.baseAddress else { return 0 }
                found = unsafe clinux_user_numbered(number, &gid, start, text.count)
                return found == 0 ? unsafe strnlen(start, text.count) : 0
            }
        }
        guard try checked(found, "getpwuid_r", on: user) == 0 else { return nil }
        return UserAccount(name: name, uid: number, gid: gid)
    }
}

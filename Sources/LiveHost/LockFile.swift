internal import CLinux
internal import Glibc
internal import HostAccess
internal import LinuxIO
internal import SystemPackage

/// A lock file, taken: flock(2) for as long as this lives, and who took it written inside.
///
/// The file itself stays when the lock goes: were it removed, two processes could each hold the lock of their own file.
final class LockFile: HostLock {
    private let descriptor: OwnedDescriptor

    /// Takes the lock, without waiting.
    init(_ path: String) throws(HostAccessError) {
        let file: OwnedDescriptor
        do {
            let directory = try OwnFiles.parent(of: path)
            file = try directory.open(OwnFiles.lastComponent(of: path), flags: O_RDWR | O_CREAT | O_NOFOLLOW)
        } catch {
            throw HostAccessError(.lock, path, errno: error.errno)
        }
        do {
            _ = try checked(clinux_try_lock(file.rawValue), "flock", on: path)
        } catch {
            let code: HostAccessError.Code =
                error.errno == .wouldBlock ? .locked(holder: Self.holder(in: file)) : .refused
            throw HostAccessError(.lock, path, code: code, errno: error.errno)
        }
        do {
            _ = try checked(clinux_fchmod(file.rawValue, 0o644), "fchmod", on: path)
            _ = try checked(clinux_ftruncate(file.rawValue, 0), "ftruncate", on: path)
            try OwnFiles.write(Array("process \(getpid()) (\(Self.ownCommand()))\n".utf8), to: file, subject: path)
        } catch {
            throw HostAccessError(.lock, path, errno: error.errno)
        }
        descriptor = file
    }

    /// What the holder wrote; one that has only just taken the lock may not have written yet.
    private static func holder(in file: borrowing OwnedDescriptor) -> String {
        do {
            let text = trimmed(try file.contents(limit: 4096, subject: "lock"))
            return text.isEmpty ? "another process" : text
        } catch {
            return "another process"
        }
    }

    /// This process's command, as the kernel has it.
    private static func ownCommand() -> String {
        do {
            let file = try OwnedDescriptor.open("/proc/self/comm", flags: readingFlags)
            return trimmed(try file.contents(limit: 4096, subject: "/proc/self/comm"))
        } catch {
            return "vfioctl"
        }
    }
}

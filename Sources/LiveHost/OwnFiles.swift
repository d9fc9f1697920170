internal import CLinux
internal import Glibc
internal import HostAccess
internal import LinuxIO
internal import SystemPackage

/// Files that belong to this project: journals, records, the lock. Never sysfs.
enum OwnFiles {
    /// Replaces `path` in one step. A reader sees the old content or the new, also after a crash.
    static func replace(_ path: String, with content: [UInt8]) throws(HostAccessError) {
        do throws(SystemCallError) {
            let directory = try parent(of: path)
            let name = lastComponent(of: path)
            // A name of this process alone; what a crash left under it is in nobody's use.
            let temporary = ".\(name).\(getpid())"
            _ = unsafe clinux_unlinkat(directory.rawValue, temporary)
            do throws(SystemCallError) {
                let file = try directory.open(temporary, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
                _ = try checked(clinux_fchmod(file.rawValue, 0o644), "fchmod", on: path)
                try write(content, to: file, subject: path)
                _ = try checked(clinux_fsync(file.rawValue), "fsync", on: path)
                let renamed = unsafe clinux_renameat(directory.rawValue, temporary, name)
                _ = try checked(renamed, "rename", on: path)
            } catch {
                _ = unsafe clinux_unlinkat(directory.rawValue, temporary)
                throw error
            }
            // The name's change is durable once the directory is.
            _ = try checked(clinux_fsync(directory.rawValue), "fsync", on: path)
        } catch {
            throw HostAccessError(.write, path, errno: error.errno)
        }
    }

    /// Removes `path`; one that is not there is success.
    static func remove(_ path: String) throws(HostAccessError) {
        do {
            _ = try checked(unsafe clinux_unlinkat(AT_FDCWD, path), "unlink", on: path)
        } catch  where error.errno == .noSuchFileOrDirectory {
        } catch {
            throw HostAccessError(.remove, path, errno: error.errno)
        }
    }

    /// The directory of `path`, open; made where missing, with those above it: 0755, whatever the umask.
    static func parent(of path: String) throws(SystemCallError) -> OwnedDescriptor {
        var directory = try OwnedDescriptor.open("/", flags: directoryFlags)
        for component in path.split(separator: "/").dropLast() {
            let name = String(component)
            do {
                directory = try directory.open(name, flags: directoryFlags)
            } catch  where error.errno == .noSuchFileOrDirectory {
                let made = unsafe clinux_mkdirat(directory.rawValue, name, 0o755)
                // Another process may have made it in between.
                if made != -Int(EEXIST) { _ = try checked(made, "mkdir", on: path) }
                directory = try directory.open(name, flags: directoryFlags)
                if made == 0 { _ = try checked(clinux_fchmod(directory.rawValue, 0o755), "fchmod", on: path) }
            }
        }
        return directory
    }

    /// What stands after the last slash.
    static func lastComponent(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    /// Writes all of `content`, in as many calls as it takes.
    static func write(_ content: [UInt8], to file: borrowing OwnedDescriptor, subject: String) throws(SystemCallError) {
        var rest = content[...]
        while !rest.isEmpty {
            let descriptor = file.rawValue
            let written = unsafe rest.withUnsafeBytes { bytes in
                unsafe clinux_write(descriptor, bytes.baseAddress, bytes.count)
            }
            rest = rest.dropFirst(try checked(written, "write", on: subject))
        }
    }
}

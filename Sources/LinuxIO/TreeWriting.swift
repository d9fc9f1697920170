internal import CLinux
internal import Glibc

// Making a tree of files below an open directory. Each name is a single one, each thing is new: what is there already is
// an error, and no link is ever followed.
extension OwnedDescriptor {
    /// Makes a directory that was not there, 0755 whatever the umask, and opens it: mkdirat(2), openat(2), fchmod(2).
    public func makeDirectory(_ name: String) throws(SystemCallError) -> OwnedDescriptor {
        _ = try checked(unsafe clinux_mkdirat(rawValue, name, 0o755), "mkdir", on: name)
        let made = try open(name, flags: directoryFlags | O_NOFOLLOW)
        _ = try checked(clinux_fchmod(made.rawValue, 0o755), "fchmod", on: name)
        return made
    }

    /// Makes a file that was not there, 0644 whatever the umask, with this content: openat(2) with `O_EXCL`, write(2).
    public func makeFile(_ name: String, content: [UInt8]) throws(SystemCallError) {
        let file = try open(name, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
        _ = try checked(clinux_fchmod(file.rawValue, 0o644), "fchmod", on: name)
        var written = 0
        while written < content.count {
            let count = unsafe content.withUnsafeBytes { bytes in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
                return unsafe clinux_write(file.rawValue, rest.baseAddress, rest.count)
            }
            written += try checked(count, "write", on: name)
        }
    }

    /// Makes a symbolic link that was not there: symlinkat(2).
    public func makeLink(_ name: String, to target: String) throws(SystemCallError) {
        _ = try checked(unsafe clinux_symlinkat(target, rawValue, name), "symlink", on: name)
    }

    /// Removes a file or a link: unlinkat(2).
    public func removeFile(_ name: String) throws(SystemCallError) {
        _ = try checked(unsafe clinux_unlinkat(rawValue, name), "unlink", on: name)
    }

    /// Removes an empty directory: unlinkat(2).
    public func removeDirectory(_ name: String) throws(SystemCallError) {
        _ = try checked(unsafe clinux_remove_directory(rawValue, name), "rmdir", on: name)
    }

    /// The working directory, as a place to make things below or to open absolute paths from: `AT_FDCWD` is no descriptor
    /// that can be owned, so "." is opened (`O_PATH`).
    public static func workingDirectory() throws(SystemCallError) -> OwnedDescriptor {
        try open(".", flags: placeFlags | O_DIRECTORY)
    }
}

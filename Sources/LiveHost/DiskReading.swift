internal import CLinux
internal import Glibc
public import HostAccess
internal import LinuxIO
internal import SystemPackage

extension LiveHost {
    /// What is written on a disk or partition: the first 256 KiB of its node, open(2) with O_RDONLY and pread(2). Closing
    /// a node that was not open for writing tells udev nothing, and the file system's own copy of the data is not touched.
    public func content(ofBlockDevice name: String) throws(HostAccessError) -> DiskContent? {
        // A slash in a device's name is an exclamation mark in sysfs.
        let path = "/dev/" + String(name.map { $0 == "!" ? "/" : $0 })
        let beginning: [UInt8]
        do {
            beginning = try Self.beginning(of: path)
        } catch {
            throw HostAccessError(.read, path, errno: error.errno)
        }
        return DiskContent(beginning: beginning)
    }

    private static func beginning(of path: String) throws(SystemCallError) -> [UInt8] {
        // O_NONBLOCK: an optical drive is not made to pull its tray in.
        let node = try OwnedDescriptor.open(path, flags: readingFlags)
        var mode: UInt32 = 0
        var size: Int64 = 0
        _ = try checked(unsafe clinux_fstat(node.rawValue, &mode, &size), "fstat", on: path)
        guard mode & UInt32(Glibc.S_IFMT) == UInt32(Glibc.S_IFBLK) else {
            throw SystemCallError("open", on: path, errno: Errno(rawValue: ENOTBLK))
        }
        var bytes: [UInt8] = []
        while bytes.count < DiskContent.length {
            var piece = [UInt8](repeating: 0, count: DiskContent.length - bytes.count)
            var room = piece.mutableSpan
            let count = try node.read(into: &room, at: UInt64(bytes.count), subject: path)
            if count == 0 { break }
            bytes += piece.prefix(count)
        }
        return bytes
    }
}

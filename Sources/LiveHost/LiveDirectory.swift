internal import CLinux
internal import Glibc
internal import HostAccess
internal import LinuxIO
internal import SystemPackage

/// An open directory of the real machine.
final class LiveDirectory: HostDirectory {
    private let descriptor: OwnedDescriptor
    /// Where it was opened from, and by which path: joined when a message asks for it.
    private let parentPath: String
    private let name: String

    /// - Parameters:
    ///   - parentPath: the directory that `name` starts from; empty for an absolute `name`, and for the root.
    ///   - name: as it was opened; empty for the root.
    init(_ descriptor: consuming OwnedDescriptor, parentPath: String = "", name: String = "") {
        self.descriptor = descriptor
        self.parentPath = parentPath
        self.name = name
    }

    var path: String { ownPath.isEmpty ? "/" : ownPath }

    private var ownPath: String {
        name.isEmpty || name.utf8.first == UInt8(ascii: "/") ? name : parentPath + "/" + name
    }

    func read(_ path: String, limit: Int) throws(HostAccessError) -> [UInt8] {
        var content: [UInt8] = []
        guard try read(path, limit: limit, into: &content) else {
            throw HostAccessError(.read, absolute(path), errno: .noSuchFileOrDirectory)
        }
        return content
    }

    func read(_ path: String, limit: Int, into content: inout [UInt8]) throws(HostAccessError) -> Bool {
        let file: OwnedDescriptor
        do {
            file = try descriptor.open(path, flags: readingFlags)
        } catch {
            content.removeAll(keepingCapacity: true)
            guard error.errno == .noSuchFileOrDirectory else {
                throw HostAccessError(.read, absolute(path), errno: error.errno)
            }
            return false
        }
        do {
            try file.read(into: &content, limit: limit, subject: path)
            return true
        } catch {
            throw HostAccessError(error, on: absolute(path))
        }
    }

    func readStart(_ path: String, count: Int) throws(HostAccessError) -> [UInt8] {
        do {
            let file = try descriptor.open(path, flags: readingFlags)
            var bytes = [UInt8](repeating: 0, count: count)
            var span = bytes.mutableSpan
            let length = try file.read(into: &span, at: 0, subject: path)
            bytes.removeLast(count - length)
            return bytes
        } catch {
            throw HostAccessError(.read, absolute(path), errno: error.errno)
        }
    }

    func readLink(_ path: String) throws(HostAccessError) -> String {
        do {
            return try descriptor.linkTarget(path)
        } catch {
            throw HostAccessError(.readLink, absolute(path), errno: error.errno)
        }
    }

    func linkName(_ path: String) -> String? {
        do { return try descriptor.linkName(path) } catch { return nil }
    }

    func entries(_ path: String) throws(HostAccessError) -> [String] {
        do {
            return try descriptor.open(path.isEmpty ? "." : path, flags: directoryFlags).names(subject: path)
        } catch {
            throw HostAccessError(.list, absolute(path), errno: error.errno)
        }
    }

    func exists(_ path: String) -> Bool { descriptor.reaches(path) }

    func mayOpen(_ path: String) -> Bool? {
        descriptor.reaches(path) ? descriptor.permitsReadingAndWriting(path) : nil
    }

    func permissions(of path: String) -> NodePermissions? {
        do {
            let ownership = try descriptor.ownership(of: path)
            return NodePermissions(mode: ownership.mode, owner: ownership.owner, group: ownership.group)
        } catch {
            return nil
        }
    }

    func directory(_ path: String) throws(HostAccessError) -> any HostDirectory {
        do {
            return LiveDirectory(try descriptor.open(path, flags: directoryFlags), parentPath: ownPath, name: path)
        } catch {
            throw HostAccessError(.open, absolute(path), errno: error.errno)
        }
    }

    func write(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError) {
        if BlockingWrites.mayBlock(absolute(path)) {
            try writeInChild(value, to: path, timeLimit: timeLimit)
        } else {
            try writeDirectly(value, to: path)
        }
    }

    private func writeDirectly(_ value: String, to path: String) throws(HostAccessError) {
        do throws(SystemCallError) {
            let file = try descriptor.open(path, flags: O_WRONLY | O_NOCTTY)
            var value = value
            let written = value.withUTF8 { bytes in
                unsafe clinux_write(file.rawValue, bytes.baseAddress, bytes.count)
            }
            guard try checked(written, "write", on: path) == value.utf8.count else {
                throw SystemCallError("write", on: path, errno: .ioError)
            }
        } catch {
            throw HostAccessError(.write, absolute(path), value: value, errno: error.errno)
        }
    }

    private func writeInChild(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError) {
        let (seconds, attoseconds) = max(timeLimit, .zero).components
        let milliseconds = min(seconds, Int64(CInt.max / 1000) - 1) * 1000 + attoseconds / 1_000_000_000_000_000
        var child: pid_t = 0
        var text = value
        let result = text.withUTF8 { bytes in
            unsafe clinux_write_in_child(
                descriptor.rawValue, path, bytes.baseAddress, bytes.count, CInt(milliseconds), &child)
        }
        guard result != 0 else { return }
        let errno = Errno(rawValue: CInt(truncatingIfNeeded: -result))
        let pending = errno == .timedOut && child != 0
        throw HostAccessError(
            .write, absolute(path), value: value, code: pending ? .stillPending(helper: child) : .refused, errno: errno)
    }

    /// What openat(2) opens: an absolute path is taken as it is.
    private func absolute(_ path: String) -> String {
        path.utf8.first == UInt8(ascii: "/") ? path : ownPath + "/" + path
    }
}

/// Which writes can put their writer to sleep for as long as someone else likes.
enum BlockingWrites {
    /// Files below /sys that take no device lock. Everything else there may wait for one: `unbind` until the device's
    /// holder lets go, and meanwhile `driver_override`, `reset`, `enable` of the same device behind it.
    private static let prompt: Set<String> = ["sriov_drivers_autoprobe", "numa_node", "msi_bus"]

    /// Whether a write to this file is made by a child process. Below /proc (`smp_affinity_list`) nothing blocks.
    static func mayBlock(_ path: String) -> Bool {
        guard path.hasPrefix("/sys/") else { return false }
        let name = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[path.index(after: $0)...] } ?? path[...]
        return !prompt.contains(String(name))
    }
}

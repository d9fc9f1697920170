internal import Glibc

/// A directory of one test's own, removed when the test lets go of it.
package final class TemporaryDirectory: Sendable {
    /// Its absolute path.
    package let path: String

    /// Makes a fresh one below /tmp.
    package init() {
        var template = Array("/tmp/swift-vfio-test.XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { bytes in
            unsafe bytes.baseAddress.flatMap { unsafe mkdtemp($0) } != nil
        }
        precondition(made, "no temporary directory can be made in /tmp")
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { Self.remove(path) }

    /// Writes a file, making the directories on the way.
    package func file(_ name: String, _ content: String) {
        directory(name.split(separator: "/").dropLast().joined(separator: "/"))
        precondition(Self.write(Array(content.utf8), to: path + "/" + name), "cannot write \(name)")
    }

    /// Writes a file of bytes, making the directories on the way.
    package func file(_ name: String, bytes: [UInt8]) {
        directory(name.split(separator: "/").dropLast().joined(separator: "/"))
        precondition(Self.write(bytes, to: path + "/" + name), "cannot write \(name)")
    }

    /// A file's content; nil when it cannot be read.
    package func content(_ name: String) -> String? {
        guard let stream = unsafe fopen(path + "/" + name, "r") else { return nil }
        defer { unsafe fclose(stream) }
        var bytes: [UInt8] = []
        while case let byte = unsafe fgetc(stream), byte != EOF { bytes.append(UInt8(byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Makes a directory and those above it.
    package func directory(_ name: String) {
        var made = path
        for component in name.split(separator: "/") {
            made += "/" + component
            _ = unsafe mkdir(made, 0o755)
        }
    }

    /// Makes a symbolic link, in the place of one that may be there.
    package func link(_ name: String, to target: String) {
        directory(name.split(separator: "/").dropLast().joined(separator: "/"))
        _ = unsafe unlink(path + "/" + name)
        let made = unsafe symlink(target, path + "/" + name)
        precondition(made == 0, "cannot link \(name)")
    }

    /// Removes a file or link; whether there was one.
    package func remove(_ name: String) -> Bool { unsafe unlink(path + "/" + name) == 0 }

    /// Removes a directory and everything in it.
    package func removeDirectory(_ name: String) { Self.remove(path + "/" + name) }

    private static func write(_ bytes: [UInt8], to path: String) -> Bool {
        guard let stream = unsafe fopen(path, "w") else { return false }
        defer { unsafe fclose(stream) }
        return unsafe fwrite(bytes, 1, bytes.count, stream) == bytes.count
    }

    private static func remove(_ path: String) {
        if let stream = unsafe opendir(path) {
            while let entry = unsafe readdir(stream) {
                let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
                }
                guard name != ".", name != ".." else { continue }
                if unsafe entry.pointee.d_type == UInt8(DT_DIR) {
                    remove(path + "/" + name)
                } else {
                    _ = unsafe unlink(path + "/" + name)
                }
            }
            unsafe closedir(stream)
        }
        _ = unsafe rmdir(path)
    }
}

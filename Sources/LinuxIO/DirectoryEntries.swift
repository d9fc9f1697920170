internal import CLinux
internal import Glibc

extension OwnedDescriptor {
    /// The target of a symbolic link, as it is written there: readlinkat(2) from the working directory.
    public static func readLink(_ path: String) throws(SystemCallError) -> String {
        var result = 0
        // PATH_MAX: no link is longer.
        let target = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            result = unsafe buffer.withMemoryRebound(to: CChar.self) { text in
                unsafe clinux_readlinkat(AT_FDCWD, path, text.baseAddress, text.count)
            }
            count = max(result, 0)
        }
        _ = try checked(result, "readlinkat", on: path)
        return String(decoding: target, as: UTF8.self)
    }

    /// The names in this directory, without "." and "..", in no particular order: getdents64(2). Reads on from where
    /// the descriptor stands, so a directory is opened anew to be listed again.
    public borrowing func entries() throws(SystemCallError) -> [String] {
        var names: [String] = []
        var buffer = [UInt64](repeating: 0, count: 1024)
        while true {
            let size = buffer.count * MemoryLayout<UInt64>.stride
            let filled = try checked(
                unsafe clinux_getdents64(rawValue, &buffer, size), "getdents64", on: "a directory")
            if filled == 0 { return names }
            unsafe buffer.withUnsafeBytes { records in
                var place = 0
                while place < filled, let first = records.baseAddress {
                    let record = unsafe first + place
                    let name = unsafe String(cString: clinux_dirent_name(record))
                    if name != ".", name != ".." { names.append(name) }
                    place += Int(unsafe clinux_dirent_length(record))
                }
            }
        }
    }
}

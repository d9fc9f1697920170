internal import CLinux
internal import Glibc

/// Why a file's content could not be had.
public enum FileReadError: Error, Hashable, Sendable {
    /// A call was refused.
    case system(SystemCallError)
    /// A directory, a device, a pipe: reading it could block, or change something.
    case notRegular
    /// It is longer than the caller's limit.
    case tooLarge
}

/// What stands under a name.
public enum FileKind: Hashable, Sendable {
    case regular, directory, link
    /// A pipe, a device, a socket: opening it could block, or start something.
    case other

    init(mode: UInt32) {
        self =
            switch mode & UInt32(Glibc.S_IFMT) {
            case UInt32(Glibc.S_IFREG): .regular
            case UInt32(Glibc.S_IFDIR): .directory
            case UInt32(Glibc.S_IFLNK): .link
            default: .other
            }
    }
}

/// Flags for a file that is only to be read: a FIFO or terminal that stands in the file's place does not hold the opener.
public let readingFlags: CInt = O_RDONLY | O_NONBLOCK | O_NOCTTY

/// Flags for a directory to look and write through.
public let directoryFlags: CInt = O_RDONLY | O_DIRECTORY

/// Flags for a descriptor that only stands for a place in the file system: nothing is opened (`O_PATH`).
public let placeFlags: CInt = CLINUX_O_PATH

/// The same for a link itself, not followed.
public let linkFlags: CInt = CLINUX_O_PATH | O_NOFOLLOW

extension OwnedDescriptor {
    /// Everything this descriptor has to read, from where it stands to the end: fstat(2), read(2).
    ///
    /// Files of sysfs and procfs do not say their length, so only an answer of 0 bytes is their end; a file that has
    /// given as many bytes as fstat promised is asked no further.
    ///
    /// - Parameter limit: the most bytes to take; a longer file is an error, never a cut.
    public func contents(limit: Int, subject: @autoclosure () -> String) throws(FileReadError) -> [UInt8] {
        var content: [UInt8] = []
        try read(into: &content, limit: limit, subject: subject())
        return content
    }

    /// The same in an array's place, whose storage is used again: one array reads thousands of attributes.
    public func read(
        into content: inout [UInt8], limit: Int, subject: @autoclosure () -> String
    ) throws(FileReadError) {
        content.removeAll(keepingCapacity: true)
        var mode: UInt32 = 0
        var size: Int64 = 0
        let status = unsafe clinux_fstat(rawValue, &mode, &size)
        do { _ = try checked(status, "fstat", on: subject()) } catch { throw .system(error) }
        guard mode & UInt32(Glibc.S_IFMT) == UInt32(Glibc.S_IFREG) else { throw .notRegular }

        // Nearly every attribute is shorter than this first piece, which is as large as the stack gives without malloc.
        var room = 1024
        var atEnd = false
        while !atEnd && content.count <= limit {
            let answer = unsafe withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) { piece in
                let answer = unsafe clinux_read(rawValue, piece.baseAddress, piece.count)
                if answer > 0 { unsafe content.append(contentsOf: piece.prefix(answer)) }
                return answer
            }
            do { _ = try checked(answer, "read", on: subject()) } catch { throw .system(error) }
            atEnd = answer == 0 || Int64(content.count) == size
            room = max(64 << 10, content.count)
        }
        guard content.count <= limit else { throw .tooLarge }
    }

    /// The names in this directory, without "." and "..": getdents64(2). Reads on from where the descriptor stands, so
    /// each listing wants a descriptor of its own.
    public func names(subject: @autoclosure () -> String) throws(SystemCallError) -> [String] {
        var names: [String] = []
        var failure: SystemCallError?
        let size = 32 << 10
        unsafe withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { records in
            while true {
                let count: Int
                do throws(SystemCallError) {
                    let result = unsafe clinux_getdents64(rawValue, records.baseAddress, size)
                    count = try checked(result, "getdents64", on: subject())
                } catch {
                    failure = error
                    return
                }
                if count == 0 { return }
                var position = 0
                while position < count, let record = unsafe records.baseAddress?.advanced(by: position) {
                    if let name = unsafe clinux_dirent_name(record), unsafe !isDots(name) {
                        unsafe names.append(String(cString: name))
                    }
                    position += Int(unsafe clinux_dirent_length(record))
                }
            }
        }
        if let failure { throw failure }
        return names
    }

    /// Whether a name is "." or "..".
    private func isDots(_ name: UnsafePointer<CChar>) -> Bool {
        let dot = CChar(UInt8(ascii: "."))
        return unsafe name[0] == dot && (name[1] == 0 || name[1] == dot && name[2] == 0)
    }

    /// The target of a symbolic link below this directory, as it is written there: readlinkat(2). An empty path reads
    /// the link that an `O_PATH | O_NOFOLLOW` descriptor stands for.
    public func linkTarget(_ path: String) throws(SystemCallError) -> String { try link(path, lastComponent: false) }

    /// The last component of a symbolic link's target: mostly so short that no memory is allocated for it.
    public func linkName(_ path: String) throws(SystemCallError) -> String { try link(path, lastComponent: true) }

    private func link(_ path: String, lastComponent: Bool) throws(SystemCallError) -> String {
        // Longer targets than the first try holds are rare, and a buffer for the longest one comes from malloc.
        for size in [512, Int(PATH_MAX)] {
            var text: String?
            let answer = unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: size) { target in
                let answer = unsafe path.withCString { name in
                    unsafe target.withMemoryRebound(to: CChar.self) { bytes in
                        unsafe clinux_readlinkat(rawValue, name, bytes.baseAddress, size)
                    }
                }
                guard answer >= 0, answer < size || size == Int(PATH_MAX) else { return answer }
                var start = 0
                if lastComponent {
                    start = answer
                    while start > 0, unsafe target[start - 1] != UInt8(ascii: "/") { start -= 1 }
                }
                text = unsafe String(decoding: target[start..<answer], as: UTF8.self)
                return answer
            }
            _ = try checked(answer, "readlink", on: path)
            if let text { return text }
        }
        return ""
    }

    /// What kind of thing stands under a name in this directory, found without opening it: fstatat(2). A link is not followed.
    public func kind(of name: String) throws(SystemCallError) -> FileKind {
        var mode: UInt32 = 0
        let answer = unsafe name.withCString { unsafe clinux_mode(rawValue, $0, &mode) }
        _ = try checked(answer, "stat", on: name)
        return FileKind(mode: mode)
    }

    /// What kind of thing this descriptor stands for: fstat(2).
    public func kind(subject: @autoclosure () -> String) throws(SystemCallError) -> FileKind {
        var mode: UInt32 = 0
        var size: Int64 = 0
        _ = try checked(unsafe clinux_fstat(rawValue, &mode, &size), "fstat", on: subject())
        return FileKind(mode: mode)
    }

    /// Whether the process, as its effective user, may read and write what is at `path`: faccessat(2), AT_EACCESS.
    public func permitsReadingAndWriting(_ path: String) -> Bool {
        unsafe faccessat(rawValue, path, R_OK | W_OK, AT_EACCESS) == 0
    }

    /// Whether something is at `path` below this directory, links followed: faccessat(2).
    public func reaches(_ path: String) -> Bool {
        unsafe path.withCString { unsafe faccessat(rawValue, $0, F_OK, 0) == 0 }
    }
}

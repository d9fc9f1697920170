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
        var mode: UInt32 = 0
        var size: Int64 = 0
        let status = unsafe clinux_fstat(rawValue, &mode, &size)
        do { _ = try checked(status, "fstat", on: subject()) } catch { throw .system(error) }
        guard mode & UInt32(Glibc.S_IFMT) == UInt32(Glibc.S_IFREG) else { throw .notRegular }

        // One page is what a sysfs attribute can be: most files end within this first piece.
        let pageSize = 4096
        var failure: FileReadError?
        var atEnd = false
        var content: [UInt8] = unsafe withUnsafeTemporaryAllocation(byteCount: pageSize, alignment: 1) { page in
            var count = 0
            while count < pageSize {
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: page[count...])
                switch unsafe readPiece(into: room, subject: subject()) {
                case .failure(let error):
                    failure = error
                    return []
                case .success(0): atEnd = true
                case .success(let piece):
                    count += piece
                    atEnd = Int64(count) == size
                }
                if atEnd { break }
            }
            return unsafe Array(page.prefix(count))
        }
        while failure == nil && !atEnd && content.count <= limit {
            let start = content.count
            let room = max(64 << 10, start)
            content.append(contentsOf: repeatElement(0, count: room))
            let piece = unsafe content.withUnsafeMutableBytes { bytes in
                unsafe readPiece(into: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]), subject: subject())
            }
            switch piece {
            case .failure(let error): failure = error
            case .success(let count):
                content.removeLast(room - count)
                atEnd = count == 0
            }
        }
        if let failure { throw failure }
        guard content.count <= limit else { throw .tooLarge }
        return content
    }

    private func readPiece(
        into room: UnsafeMutableRawBufferPointer, subject: @autoclosure () -> String
    ) -> Result<Int, FileReadError> {
        let result = unsafe clinux_read(rawValue, room.baseAddress, room.count)
        do { return .success(try checked(result, "read", on: subject())) } catch { return .failure(.system(error)) }
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
                    let name = unsafe String(cString: clinux_dirent_name(record))
                    if name != "." && name != ".." { names.append(name) }
                    position += Int(unsafe clinux_dirent_length(record))
                }
            }
        }
        if let failure { throw failure }
        return names
    }

    /// The target of a symbolic link below this directory, as it is written there: readlinkat(2). An empty path reads
    /// the link that an `O_PATH | O_NOFOLLOW` descriptor stands for.
    public func linkTarget(_ path: String) throws(SystemCallError) -> String { try link(path, lastComponent: false) }

    /// The last component of a symbolic link's target: mostly so short that no memory is allocated for it.
    public func linkName(_ path: String) throws(SystemCallError) -> String { try link(path, lastComponent: true) }

    private func link(_ path: String, lastComponent: Bool) throws(SystemCallError) -> String {
        var failure: SystemCallError?
        let size = Int(PATH_MAX)
        let target = unsafe withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) { target in
            do throws(SystemCallError) {
                let bytes = unsafe target.baseAddress?.assumingMemoryBound(to: CChar.self)
                let result = unsafe clinux_readlinkat(rawValue, path, bytes, size)
                let count = try checked(result, "readlink", on: path)
                var start = 0
                if lastComponent {
                    start = count
                    while start > 0, unsafe target[start - 1] != UInt8(ascii: "/") { start -= 1 }
                }
                return unsafe String(decoding: target[start..<count], as: UTF8.self)
            } catch {
                failure = error
                return ""
            }
        }
        if let failure { throw failure }
        return target
    }

    /// What kind of thing stands under a name in this directory, found without opening it: fstatat(2). A link is not followed.
    public func kind(of name: String) throws(SystemCallError) -> FileKind {
        var mode: UInt32 = 0
        _ = try checked(unsafe clinux_mode(rawValue, name, &mode), "stat", on: name)
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
    public func reaches(_ path: String) -> Bool { unsafe faccessat(rawValue, path, F_OK, 0) == 0 }
}

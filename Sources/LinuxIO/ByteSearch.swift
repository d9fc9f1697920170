internal import Glibc

extension Span<UInt8> {
    /// Where `byte` is next, from `start` on: memchr(3), which looks at many bytes at a time. For files of a megabyte.
    public func firstIndex(of byte: UInt8, from start: Int) -> Int? {
        guard start < count else { return nil }
        return unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let found = unsafe memchr(base + start, CInt(byte), count - start)
            else {
                return nil
            }
            return unsafe UnsafeRawPointer(found) - base
        }
    }
}

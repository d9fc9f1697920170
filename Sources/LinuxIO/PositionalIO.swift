internal import CLinux
internal import SystemPackage

extension OwnedDescriptor {
    /// pread(2): up to `bytes.count` bytes from `offset`. Returns how many came: fewer at the end of the file.
    public borrowing func read(
        into bytes: inout MutableSpan<UInt8>, at offset: UInt64, subject: @autoclosure () -> String
    ) throws(SystemCallError) -> Int {
        let place = try signed(offset, "pread", subject)
        let number = rawValue
        let result = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            unsafe clinux_pread(number, buffer.baseAddress, buffer.count, place)
        }
        return try checked(result, "pread", on: subject())
    }

    /// pwrite(2): up to `bytes.count` bytes to `offset`. Returns how many were taken.
    public borrowing func write(
        _ bytes: Span<UInt8>, at offset: UInt64, subject: @autoclosure () -> String
    ) throws(SystemCallError) -> Int {
        let place = try signed(offset, "pwrite", subject)
        let number = rawValue
        let result = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe clinux_pwrite(number, buffer.baseAddress, buffer.count, place)
        }
        return try checked(result, "pwrite", on: subject())
    }

    private borrowing func signed(_ offset: UInt64, _ call: String, _ subject: () -> String) throws(SystemCallError)
        -> Int64
    {
        guard let offset = Int64(exactly: offset) else {
            throw SystemCallError(call, on: subject(), errno: .invalidArgument)
        }
        return offset
    }
}

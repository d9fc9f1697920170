internal import CLinux
internal import Glibc
internal import LinuxIO
internal import SystemPackage

/// How the nodes are opened: a device opened for reading only binds, but its regions then answer EBADF.
let readWrite: CInt = O_RDWR

/// The kernel, with its answers turned into errors a person can act on.
struct VFIOKernel: Sendable {
    let calls: any KernelCalls

    /// Opens a node.
    func open(_ path: String, for subject: String) throws(VFIOError) -> OwnedDescriptor {
        do {
            return try calls.open(path, flags: readWrite)
        } catch {
            throw explain(opening: path, for: subject, error.errno)
        }
    }

    /// Makes one request with a structure, which the kernel may change.
    @discardableResult
    func call<Argument>(
        _ request: Request, on descriptor: CInt, _ argument: inout Argument, for subject: String
    ) throws(VFIOError) -> Int {
        let result = unsafe withUnsafeMutableBytes(of: &argument) { bytes in
            unsafe calls.ioctl(descriptor, request.number, bytes.baseAddress)
        }
        return try check(result, request, for: subject)
    }

    /// Makes one request with a structure of variable length.
    @discardableResult
    func call(
        _ request: Request, on descriptor: CInt, bytes: inout [UInt8], for subject: String
    ) throws(VFIOError) -> Int {
        let result = unsafe bytes.withUnsafeMutableBytes { bytes in
            unsafe calls.ioctl(descriptor, request.number, bytes.baseAddress)
        }
        return try check(result, request, for: subject)
    }

    /// Makes one request with a number.
    @discardableResult
    func call(_ request: Request, on descriptor: CInt, value: UInt = 0, for subject: String) throws(VFIOError) -> Int {
        try check(calls.ioctl(descriptor, request.number, value: value), request, for: subject)
    }

    func check(_ result: Int, _ request: Request, for subject: String) throws(VFIOError) -> Int {
        guard result < 0 else { return result }
        throw explain(request, for: subject, Errno(rawValue: CInt(truncatingIfNeeded: -result)))
    }

    /// Makes an information request whose answer ends in a chain of capabilities: asked with the fixed part first, then
    /// with as much room as the kernel says it wants.
    ///
    /// - Parameter header: the fixed part; its first field is `argsz`, set here.
    /// - Returns: the whole answer, which is at least as long as `header`.
    func information<Header: BitwiseCopyable>(
        _ request: Request, on descriptor: CInt, _ header: Header, for subject: String
    ) throws(VFIOError) -> [UInt8] {
        let fixed = unsafe withUnsafeBytes(of: header) { bytes in unsafe Array(bytes) }
        var size = fixed.count
        // The chain may grow between two calls, but not for ever.
        for _ in 0..<4 {
            var bytes = fixed + [UInt8](repeating: 0, count: size - fixed.count)
            bytes.store(UInt32(size), at: 0)
            try call(request, on: descriptor, bytes: &bytes, for: subject)
            let wanted = Int(bytes.load(UInt32.self, at: 0))
            if wanted <= size { return bytes }
            guard wanted <= Self.largestAnswer else { break }
            size = wanted
        }
        throw VFIOError(.malformedAnswer, subject, "\(request.name) keeps asking for more room than makes sense")
    }

    /// No answer of this interface is longer: a region's chain with hundreds of areas is some KiB.
    static let largestAnswer = 1 << 20
}

extension [UInt8] {
    /// An integer of the machine's byte order at any offset inside.
    func load<Integer: FixedWidthInteger & BitwiseCopyable>(_: Integer.Type = Integer.self, at offset: Int) -> Integer {
        let size = MemoryLayout<Integer>.size
        precondition(offset >= 0 && offset <= count - size, "outside of the answer")
        return unsafe withUnsafeBytes { bytes in unsafe bytes.loadUnaligned(fromByteOffset: offset, as: Integer.self) }
    }

    /// Puts an integer of the machine's byte order at any offset inside.
    mutating func store(_ value: some FixedWidthInteger & BitwiseCopyable, at offset: Int) {
        precondition(offset >= 0 && offset <= count - MemoryLayout.size(ofValue: value), "outside of the argument")
        unsafe withUnsafeMutableBytes { bytes in
            unsafe bytes.storeBytes(of: value, toByteOffset: offset, as: type(of: value))
        }
    }

    /// The fixed part at the beginning.
    func header<Header: BitwiseCopyable>(_: Header.Type) -> Header {
        precondition(count >= MemoryLayout<Header>.size, "shorter than its fixed part")
        return unsafe withUnsafeBytes { bytes in unsafe bytes.loadUnaligned(as: Header.self) }
    }
}

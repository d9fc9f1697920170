internal import CLinux
internal import Glibc
internal import SystemPackage

/// Memory mapped into this process, with one owner: unmapped when the owner goes.
///
/// Either a part of a file (a device's region, another process's memory) or anonymous, page-aligned memory of our own.
/// What is mapped may change at any time without this process doing it: a device writes to it.
@safe
public struct MemoryMapping: ~Copyable, @unchecked Sendable {
    /// The first byte. It stays valid only as long as this value lives.
    ///
    /// Sharing it between threads is no more and no less safe than the registers or the memory behind it: that is the
    /// device's protocol, which no type can know. Hence `@unchecked Sendable`.
    @unsafe public let address: UnsafeMutableRawPointer
    /// How many bytes are mapped.
    public let count: Int
    /// Whether the mapping may be written to.
    public let isWritable: Bool

    /// What may be done with a mapping of a file.
    public enum Access: Hashable, Sendable {
        case read
        case readWrite
    }

    /// The pages that anonymous memory is made of. Huge pages must have been set aside: /proc/sys/vm/nr_hugepages.
    public enum Pages: Hashable, Sendable {
        /// 4 KiB on x86.
        case ordinary
        case huge2MiB
        case huge1GiB

        /// The size of one, in bytes.
        public var size: Int {
            switch self {
            case .ordinary: clinux_page_size()
            case .huge2MiB: 2 << 20
            case .huge1GiB: 1 << 30
            }
        }

        fileprivate var flags: CInt {
            switch self {
            case .ordinary: 0
            case .huge2MiB: C_MAP_HUGE_2MB
            case .huge1GiB: C_MAP_HUGE_1GB
            }
        }
    }

    private init(mapped address: UnsafeMutableRawPointer, count: Int, isWritable: Bool) {
        unsafe self.address = address
        self.count = count
        self.isWritable = isWritable
    }

    deinit { _ = unsafe clinux_munmap(address, count) }

    /// mmap(2) of `count` bytes of a file, shared with everyone else who maps it. The mapping outlives the descriptor.
    ///
    /// - Parameters:
    ///   - offset: where in the file it begins, in bytes: a multiple of the page size, or the kernel answers EINVAL.
    ///   - subject: what the file is, for the error's text.
    public static func file(
        _ descriptor: borrowing OwnedDescriptor, offset: UInt64, count: Int, access: Access = .readWrite,
        subject: @autoclosure () -> String
    ) throws(SystemCallError) -> MemoryMapping {
        guard count > 0, let offset = Int64(exactly: offset) else {
            throw SystemCallError("mmap", on: subject(), errno: .invalidArgument)
        }
        let protection = access == .readWrite ? PROT_READ | PROT_WRITE : PROT_READ
        let address = try unsafe map(
            count: count, protection: protection, flags: MAP_SHARED, file: descriptor.rawValue, offset: offset, subject)
        return unsafe MemoryMapping(mapped: address, count: count, isWritable: access == .readWrite)
    }

    /// mmap(2) of zeroed memory of this process alone, at least `count` bytes, rounded up to whole pages.
    ///
    /// A child that is forked later does not see it (MADV_DONTFORK): copy-on-write would part the process from a device
    /// that writes to the pages.
    public static func anonymous(count: Int, pages: Pages = .ordinary) throws(SystemCallError) -> MemoryMapping {
        let subject = "\(count) bytes of memory"
        let (padded, overflow) = count.addingReportingOverflow(pages.size - 1)
        guard count > 0, !overflow else { throw SystemCallError("mmap", on: subject, errno: .invalidArgument) }
        let whole = padded / pages.size * pages.size
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | pages.flags
        let address = try unsafe map(
            count: whole, protection: PROT_READ | PROT_WRITE, flags: flags, file: -1, offset: 0, { subject })
        let mapping = unsafe MemoryMapping(mapped: address, count: whole, isWritable: true)
        _ = try checked(unsafe clinux_keep_from_fork(address, whole), "madvise", on: subject)
        return mapping
    }

    private static func map(
        count: Int, protection: CInt, flags: CInt, file: CInt, offset: Int64, _ subject: () -> String
    ) throws(SystemCallError) -> UnsafeMutableRawPointer {
        var address: UnsafeMutableRawPointer?
        _ = try checked(
            unsafe clinux_mmap(count, protection, flags, file, offset, &address), "mmap", on: subject())
        guard let address = unsafe address else {
            throw SystemCallError("mmap", on: subject(), errno: .invalidArgument)
        }
        return unsafe address
    }
}

extension MemoryMapping {
    /// The bytes, to look at. What a device may be writing meanwhile is read with `load` instead.
    public borrowing func withBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let first = unsafe UnsafePointer(address.assumingMemoryBound(to: UInt8.self))
        return try body(unsafe Span(_unsafeStart: first, count: count))
    }

    /// The bytes, to change. The mapping must be writable.
    public mutating func withMutableBytes<Result, Failure: Error>(
        _ body: (inout MutableSpan<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(isWritable, "the memory is mapped for reading only")
        let first = unsafe address.assumingMemoryBound(to: UInt8.self)
        var bytes = unsafe MutableSpan(_unsafeStart: first, count: count)
        return try body(&bytes)
    }

    /// Whether an access of `width` bytes at `offset` lies inside and is aligned.
    @inlinable
    public borrowing func admits(offset: Int, width: Int) -> Bool {
        offset >= 0 && offset <= count &- width && offset & (width &- 1) == 0
    }

    /// One volatile load, of memory that a device changes. `offset` is in bytes, inside the mapping, and aligned:
    /// anything else ends the process, as an array's index does.
    @inlinable
    public borrowing func load<Integer: VolatileInteger>(
        _: Integer.Type = Integer.self, at offset: Int
    ) -> Integer {
        precondition(admits(offset: offset, width: MemoryLayout<Integer>.size), "outside of the mapping, or unaligned")
        return unsafe Integer.volatileLoad(from: address + offset)
    }

    /// One volatile store, to memory that a device reads. `offset` is in bytes, inside the mapping, and aligned, and
    /// the mapping writable: anything else ends the process, as an array's index does.
    @inlinable
    public borrowing func store<Integer: VolatileInteger>(_ value: Integer, at offset: Int) {
        precondition(isWritable, "the memory is mapped for reading only")
        precondition(admits(offset: offset, width: MemoryLayout<Integer>.size), "outside of the mapping, or unaligned")
        unsafe Integer.volatileStore(value, to: address + offset)
    }
}

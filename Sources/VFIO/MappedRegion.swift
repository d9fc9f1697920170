public import LinuxIO

/// A region of a device, or an area of one, mapped into this process: its registers are memory. Unmapped when the owner
/// goes.
///
/// Every access is one load or store of exactly the register's width, neither dropped nor repeated, and ordered against
/// memory: what was stored before a register is written is there for the device that the write starts, and what is
/// loaded after a register was read is not older than it.
public struct MappedRegion: ~Copyable, Sendable {
    /// The mapping itself.
    public let memory: MemoryMapping
    /// Which region it is.
    public let index: RegionIndex
    /// Where in the region the mapping begins, in bytes. Registers count from the region's beginning all the same.
    public let start: Int
    /// The device's name, for messages.
    public let device: String

    /// For the benchmark as well, which reads from ordinary memory.
    package init(_ memory: consuming MemoryMapping, of index: RegionIndex, from start: UInt64, device: String) {
        self.memory = memory
        self.index = index
        self.start = Int(start)
        self.device = device
    }

    /// Reads a register.
    ///
    /// - Throws: `.outOfRange` or `.unaligned`, before the device is touched.
    @inlinable
    public borrowing func read<Integer>(_ register: Register<Integer>) throws(VFIOError) -> Integer {
        // The address before the check, so that a loop has both behind it when it begins.
        let address = unsafe memory.address + (register.offset &- start)
        guard contains(register.offset, width: MemoryLayout<Integer>.size, alignment: MemoryLayout<Integer>.size) else {
            throw refusal(of: register.offset, width: MemoryLayout<Integer>.size)
        }
        return unsafe Integer.volatileLoad(from: address)
    }

    /// Writes a register.
    ///
    /// - Throws: `.outOfRange`, `.unaligned` or `.accessRefused`, before the device is touched.
    @inlinable
    public borrowing func write<Integer>(_ value: Integer, to register: Register<Integer>) throws(VFIOError) {
        let address = unsafe memory.address + (register.offset &- start)
        guard contains(register.offset, width: MemoryLayout<Integer>.size, alignment: MemoryLayout<Integer>.size),
            memory.isWritable
        else { throw refusal(of: register.offset, width: MemoryLayout<Integer>.size) }
        unsafe Integer.volatileStore(value, to: address)
    }

    /// Reads a register that the caller knows to lie inside and to be aligned: a single load, and no branch.
    @unsafe @inlinable
    public borrowing func readUnchecked<Integer>(_ register: Register<Integer>) -> Integer {
        unsafe Integer.volatileLoad(from: memory.address + (register.offset &- start))
    }

    /// Writes a register that the caller knows to lie inside, to be aligned and to be writable: a single store, and no
    /// branch.
    @unsafe @inlinable
    public borrowing func writeUnchecked<Integer>(_ value: Integer, to register: Register<Integer>) {
        unsafe Integer.volatileStore(value, to: memory.address + (register.offset &- start))
    }

    /// Reads a 64-bit register of a device that takes 32 bits at a time, one half after the other.
    ///
    /// - Throws: `.outOfRange`, or `.unaligned` when it does not begin at a multiple of 4, before the device is
    ///   touched.
    @inlinable
    public borrowing func read(_ register: Register<UInt64>, halves order: HalfOrder) throws(VFIOError) -> UInt64 {
        guard contains(register.offset, width: 8, alignment: 4) else {
            throw refusal(of: register.offset, width: 8, alignment: 4)
        }
        return unsafe UInt64.volatileLoad(from: memory.address + (register.offset &- start), halves: order)
    }

    /// Writes a 64-bit register of a device that takes 32 bits at a time, one half after the other.
    ///
    /// - Throws: `.outOfRange`, `.unaligned` when it does not begin at a multiple of 4, or `.accessRefused`, before the
    ///   device is touched.
    @inlinable
    public borrowing func write(
        _ value: UInt64, to register: Register<UInt64>, halves order: HalfOrder
    ) throws(VFIOError) {
        guard contains(register.offset, width: 8, alignment: 4), memory.isWritable else {
            throw refusal(of: register.offset, width: 8, alignment: 4)
        }
        unsafe UInt64.volatileStore(value, to: memory.address + (register.offset &- start), halves: order)
    }

    /// Whether an access lies inside of the mapping and is aligned. One comparison: what is before the mapping is, as an
    /// unsigned number, far behind it, and no mapping is smaller than the widest register.
    @inlinable
    borrowing func contains(_ offset: Int, width: Int, alignment: Int) -> Bool {
        UInt(bitPattern: offset &- start) <= UInt(bitPattern: memory.count &- width) && offset & (alignment &- 1) == 0
    }

    /// Why an access is refused. Out of the way of those that are not.
    @usableFromInline @inline(never)
    borrowing func refusal(of offset: Int, width: Int, alignment: Int? = nil) -> VFIOError {
        let alignment = alignment ?? width
        guard offset % alignment == 0 else {
            return VFIOError.unaligned(offset: offset, width: width, alignment: alignment, device: device)
        }
        guard offset >= 0, offset >= start, offset &- start <= memory.count - width else {
            let place = offset < 0 ? "\(offset)" : "0x\(hex(offset))"
            return VFIOError(
                .outOfRange, device,
                "a register of \(width * 8) bits at \(place) is not in the mapping of \(index), "
                    + "which has 0x\(hex(start)) to 0x\(hex(start + memory.count - 1))")
        }
        return VFIOError(.accessRefused, device, "\(index) may not be written")
    }
}

public import LinuxIO

/// Memory of this process that devices reach: mapped into their address space, and unmapped when its owner goes.
public struct DMABuffer: ~Copyable, Sendable {
    // In this order: devices lose the memory before this process does.
    private let mapping: DMAMapping
    /// The memory, as this process sees it.
    public private(set) var memory: MemoryMapping

    init(mapping: consuming DMAMapping, memory: consuming MemoryMapping) {
        self.mapping = mapping
        self.memory = memory
    }

    /// The addresses, as devices see it.
    public var range: IOVARange { mapping.range }

    /// The first address, as devices see it.
    public var iova: UInt64 { mapping.range.start }

    /// The bytes, to change before a device is told to look at them.
    public mutating func withMutableBytes<Result, Failure: Error>(
        _ body: (inout MutableSpan<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try memory.withMutableBytes(body)
    }

    /// Takes the memory from the devices and gives it back: as letting go of the value does, but with an answer.
    public consuming func unmap() throws(VFIOError) -> MemoryMapping {
        try mapping.end()
        return memory
    }
}

/// A range of an address space that is mapped as long as this value lives.
struct DMAMapping: ~Copyable, Sendable {
    let range: IOVARange
    private let space: IOAddressSpace
    private var isMapped = true

    init(range: IOVARange, in space: IOAddressSpace) {
        self.range = range
        self.space = space
    }

    deinit {
        // Nobody is left to tell. The kernel unmaps what remains when the address space goes.
        if isMapped { try? space.unmap(range) }
    }

    consuming func end() throws(VFIOError) {
        isMapped = false
        try space.unmap(range)
    }
}

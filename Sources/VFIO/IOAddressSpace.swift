public import LinuxIO
internal import Synchronization

/// What a device may do with mapped memory.
public struct DMAAccess: OptionSet, Hashable, Sendable {
    /// The bits, of this library's choosing.
    public let rawValue: UInt8

    /// Makes a set of bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The device may read it.
    public static let read = DMAAccess(rawValue: 1)
    /// The device may write it.
    public static let write = DMAAccess(rawValue: 2)
    /// Both.
    public static let readWrite: DMAAccess = [.read, .write]
}

/// The addresses that devices see, and what memory of this process lies behind them: a VFIO container, or an I/O
/// address space of an iommufd. Every device that is opened in it sees the same.
///
/// A class: it is shared by its devices and its buffers, and lives as long as the last of them.
public final class IOAddressSpace: Sendable {
    /// Which of the kernel's two ways it is.
    public let backend: VFIOBackend

    let kernel: VFIOKernel
    /// The container or the iommufd.
    let descriptor: OwnedDescriptor
    /// The address space's id in the iommufd; 0 with a container.
    let ioas: UInt32
    private let state = Mutex(State())

    private struct State: Sendable {
        /// The groups in the container, by number, and how many of our devices are open through each. The kernel lets a
        /// group's node be opened only once.
        var groups: [Int: (descriptor: CInt, users: Int)] = [:]
        /// As they were when a device was last attached. Nil before, and when it is not known.
        var capabilities: IOVACapabilities?
    }

    /// A new, empty address space: open(2) of /dev/vfio/vfio, or of /dev/iommu and IOMMU_IOAS_ALLOC.
    public convenience init(_ backend: VFIOBackend) throws(VFIOError) {
        try self.init(backend, for: "an address space", calls: LiveKernel())
    }

    /// - Parameter subject: what it is for, in errors.
    init(_ backend: VFIOBackend, for subject: String, calls: any KernelCalls) throws(VFIOError) {
        let kernel = VFIOKernel(calls: calls)
        switch backend {
        case .group:
            descriptor = try VFIOContainer(kernel: kernel).open(for: subject)
            ioas = 0
        case .iommufd:
            descriptor = try IOMMUFD(kernel: kernel).open(for: subject)
            ioas = try IOMMUFD(kernel: kernel).allocateAddressSpace(in: descriptor.rawValue)
        }
        self.backend = backend
        self.kernel = kernel
    }

    /// Which addresses may be mapped now. Empty as long as a container holds no device.
    ///
    /// VFIO_IOMMU_GET_INFO, or IOMMU_IOAS_IOVA_RANGES.
    public func capabilities() throws(VFIOError) -> IOVACapabilities {
        try state.withLock { (state) throws(VFIOError) in try refresh(&state) }
    }

    /// Lets devices reach memory of this process at `iova`, for as long as the result lives: VFIO_IOMMU_MAP_DMA or
    /// IOMMU_IOAS_MAP. The memory is pinned, and counts against RLIMIT_MEMLOCK.
    ///
    /// - Parameters:
    ///   - memory: what to map, whole; given up to the result. It is gone when this fails.
    ///   - iova: where devices see its first byte: a multiple of the IOMMU's page size.
    ///   - access: what devices may do with it.
    /// - Throws: `.addressRefused` when the IOMMU does not take these addresses, which names those that it does;
    ///   `.unaligned`; `.addressInUse`; `.limitReached`; or what else the kernel says.
    public func map(
        _ memory: consuming MemoryMapping, at iova: UInt64, access: DMAAccess = .readWrite
    ) throws(VFIOError) -> DMABuffer {
        let bytes = unsafe UnsafeRawBufferPointer(start: memory.address, count: memory.count)
        let range = try unsafe map(bytes, at: iova, access: access)
        return DMABuffer(mapping: DMAMapping(range: range, in: self), memory: memory)
    }

    /// Lets devices reach memory of this process that someone else looks after, such as a guest's, at `iova`, until
    /// `unmap`.
    ///
    /// The pages stay pinned whatever happens to the memory, so no device reaches what was not mapped; but a device
    /// goes on writing to them after the memory is unmapped from this process, and nobody sees it.
    @unsafe @discardableResult
    public func map(
        _ memory: UnsafeRawBufferPointer, at iova: UInt64, access: DMAAccess = .readWrite
    ) throws(VFIOError) -> IOVARange {
        let range = IOVARange(start: iova, count: memory.count)
        guard let range else {
            throw VFIOError(
                .outOfRange, subject, "\(memory.count) bytes at 0x\(hex(iova)) are no range of addresses")
        }
        try admit(range)
        switch backend {
        case .group:
            try unsafe VFIOContainer(kernel: kernel).map(memory, at: iova, access, in: descriptor.rawValue)
        case .iommufd:
            try unsafe IOMMUFD(kernel: kernel).map(memory, at: iova, access, ioas: ioas, in: descriptor.rawValue)
        }
        return range
    }

    /// Takes mappings away: VFIO_IOMMU_UNMAP_DMA or IOMMU_IOAS_UNMAP. The range holds whole mappings, one or several.
    ///
    /// - Throws: `.addressInUse` when nothing was mapped there.
    public func unmap(_ range: IOVARange) throws(VFIOError) {
        let count =
            switch backend {
            case .group: try VFIOContainer(kernel: kernel).unmap(range, in: descriptor.rawValue)
            case .iommufd: try IOMMUFD(kernel: kernel).unmap(range, ioas: ioas, in: descriptor.rawValue)
            }
        guard count > 0 else { throw VFIOError(.addressInUse, subject, "nothing is mapped at \(range)") }
    }

    /// What errors call it.
    var subject: String { backend == .group ? VFIOContainer.path : IOMMUFD.path }

    /// Refuses a range that the kernel would refuse, but says why. Costs a lock and a look at a handful of ranges; the
    /// kernel is asked again only before refusing, as ranges widen when a device goes.
    private func admit(_ range: IOVARange) throws(VFIOError) {
        try state.withLock { (state) throws(VFIOError) in
            guard backend == .iommufd || !state.groups.isEmpty else {
                throw VFIOError(
                    .addressRefused, subject, "no device is open in it: a container takes mappings while it holds one")
            }
            guard var known = state.capabilities else { return }
            let (_, remainder) = range.start.quotientAndRemainder(dividingBy: known.alignment)
            guard remainder == 0, (range.last &+ 1) % known.alignment == 0 else {
                throw VFIOError(.unaligned, subject, "\(range) is not made of whole pages of \(known.alignment) bytes")
            }
            guard !known.admits(range) else { return }
            known = try refresh(&state)
            guard !known.admits(range) else { return }
            let usable = known.ranges.map(\.description).joined(separator: ", ")
            throw VFIOError(
                .addressRefused, subject,
                "the IOMMU does not take \(range): it takes \(usable.isEmpty ? "no address" : usable)")
        }
    }

    @discardableResult
    private func refresh(_ state: inout State) throws(VFIOError) -> IOVACapabilities {
        let now: IOVACapabilities
        switch backend {
        case .group where state.groups.isEmpty:
            // Without a group a container has no IOMMU to ask.
            now = IOVACapabilities(ranges: [], alignment: UInt64(MemoryMapping.Pages.ordinary.size))
            state.capabilities = nil
            return now
        case .group:
            now = try VFIOContainer(kernel: kernel).capabilities(of: descriptor.rawValue, for: subject)
        case .iommufd:
            now = try IOMMUFD(kernel: kernel).capabilities(of: ioas, in: descriptor.rawValue)
        }
        state.capabilities = now
        return now
    }
}

/// A number in hexadecimal, without 0x.
func hex(_ value: some BinaryInteger) -> String { String(value, radix: 16) }

extension IOAddressSpace {
    /// Opens a device and attaches it. This resets it.
    func attach(_ nodes: DeviceNodes) throws(VFIOError) -> OwnedDescriptor {
        let device: OwnedDescriptor
        switch backend {
        case .group:
            let group = try join(nodes)
            do {
                // Outside of the lock: the reset that comes with it takes its time, and others may open theirs
                // meanwhile.
                device = try VFIOContainer(kernel: kernel).openDevice(nodes, in: group)
            } catch {
                leave(nodes.iommuGroup)
                throw error
            }
        case .iommufd:
            let backend = IOMMUFD(kernel: kernel)
            device = try backend.openDevice(nodes)
            try backend.bind(device, to: descriptor.rawValue, for: nodes)
            try backend.attach(device, to: ioas, for: nodes)
        }
        do {
            try state.withLock { (state) throws(VFIOError) in _ = try refresh(&state) }
        } catch {
            // Without the list, the kernel's own refusals have to do.
            state.withLock { $0.capabilities = nil }
        }
        return device
    }

    /// Makes sure that the device's group is in the container, and counts one more user of it.
    private func join(_ nodes: DeviceNodes) throws(VFIOError) -> CInt {
        guard let id = nodes.iommuGroup else { throw VFIOContainer.noGroup(nodes) }
        return try state.withLock { (state) throws(VFIOError) in
            if let group = state.groups[id] {
                state.groups[id] = (group.descriptor, group.users + 1)
                return group.descriptor
            }
            let backend = VFIOContainer(kernel: kernel)
            let group = try backend.openGroup(of: nodes)
            try backend.add(group, to: descriptor.rawValue, for: nodes)
            // The container loses its IOMMU with its last group, and gets it with its first.
            if state.groups.isEmpty { try backend.setIOMMU(of: descriptor.rawValue, for: nodes) }
            let number = group.release()
            state.groups[id] = (number, 1)
            return number
        }
    }

    /// Counts one user less of a group, and gives it back to the host with the last one. The kernel drops a container's
    /// mappings with its last group.
    func leave(_ id: Int?) {
        guard let id else { return }
        state.withLock { state in
            guard let group = state.groups[id] else { return }
            if group.users > 1 {
                state.groups[id] = (group.descriptor, group.users - 1)
            } else {
                state.groups[id] = nil
                _ = OwnedDescriptor(adopting: group.descriptor)
            }
        }
    }
}

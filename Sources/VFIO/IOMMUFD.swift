internal import CLinux
internal import Glibc
internal import LinuxIO

/// The newer way: an iommufd that holds I/O address spaces (IOAS), and devices attached to them. One function a
/// request.
struct IOMMUFD {
    static let path = "/dev/iommu"

    let kernel: VFIOKernel

    /// A new iommufd.
    ///
    /// - Parameter subject: what it is for, in errors.
    func open(for subject: String) throws(VFIOError) -> OwnedDescriptor {
        try kernel.open(Self.path, for: subject)
    }

    /// A new, empty address space. Returns its id.
    func allocateAddressSpace(in iommufd: CInt) throws(VFIOError) -> UInt32 {
        var request = iommu_ioas_alloc()
        request.size = UInt32(MemoryLayout<iommu_ioas_alloc>.size)
        try kernel.call(.allocateIOAS, on: iommufd, &request, for: Self.path)
        return request.out_ioas_id
    }

    /// Opens a device's node. The device is not touched until it is bound.
    func openDevice(_ nodes: DeviceNodes) throws(VFIOError) -> OwnedDescriptor {
        guard nodes.iommuGroup != nil else { throw VFIOContainer.noGroup(nodes) }
        guard let path = nodes.deviceNode else {
            guard let driver = nodes.driver, isVFIODriver(driver) else {
                throw VFIOError(.notBound, nodes.name, nodes.notBoundMessage)
            }
            throw VFIOError(
                .unsupported, nodes.name,
                "it is bound to \(driver) but has no node under /dev/vfio/devices, which needs Linux 6.6 or newer with "
                    + "iommufd: use the group backend")
        }
        return try kernel.open(path, for: nodes.name)
    }

    /// Binds a device to an iommufd: this resets it, and makes its regions and interrupts available.
    func bind(_ device: borrowing OwnedDescriptor, to iommufd: CInt, for nodes: DeviceNodes) throws(VFIOError) {
        var request = vfio_device_bind_iommufd()
        request.argsz = UInt32(MemoryLayout<vfio_device_bind_iommufd>.size)
        request.iommufd = iommufd
        do {
            try kernel.call(.bind, on: device.rawValue, &request, for: nodes.name)
        } catch {
            guard error.code == .notViable, let group = nodes.iommuGroup else { throw error }
            let spoilers = kernel.spoilers(of: group)
            guard !spoilers.isEmpty else { throw error }
            throw VFIOError(
                .notViable, nodes.name,
                "its IOMMU group \(group) is not viable\(spoilers): bind the whole group (vfioctl bind --group)",
                errno: error.errno)
        }
    }

    /// Attaches a bound device to an address space.
    func attach(_ device: borrowing OwnedDescriptor, to ioas: UInt32, for nodes: DeviceNodes) throws(VFIOError) {
        var request = vfio_device_attach_iommufd_pt()
        request.argsz = UInt32(MemoryLayout<vfio_device_attach_iommufd_pt>.size)
        request.pt_id = ioas
        try kernel.call(.attach, on: device.rawValue, &request, for: nodes.name)
    }

    /// Which addresses the address space takes.
    func capabilities(of ioas: UInt32, in iommufd: CInt) throws(VFIOError) -> IOVACapabilities {
        // The number of ranges may change between two calls, but not for ever.
        var ranges = [iommu_iova_range](repeating: iommu_iova_range(), count: 16)
        for _ in 0..<4 {
            var request = iommu_ioas_iova_ranges()
            request.size = UInt32(MemoryLayout<iommu_ioas_iova_ranges>.size)
            request.ioas_id = ioas
            request.num_iovas = UInt32(ranges.count)
            let result = unsafe ranges.withUnsafeMutableBytes { room in
                request.allowed_iovas = UInt64(UInt(bitPattern: room.baseAddress))
                return unsafe withUnsafeMutableBytes(of: &request) { bytes in
                    unsafe kernel.calls.ioctl(iommufd, Request.ioasRanges.number, bytes.baseAddress)
                }
            }
            let found = Int(request.num_iovas)
            // EMSGSIZE: num_iovas says how many there are.
            if result == -Int(EMSGSIZE), found > ranges.count, found <= 65_536 {
                ranges = [iommu_iova_range](repeating: iommu_iova_range(), count: found)
                continue
            }
            _ = try kernel.check(result, .ioasRanges, for: Self.path)
            guard found <= ranges.count, request.out_iova_alignment > 0 else { break }
            var usable: [IOVARange] = []
            for range in ranges.prefix(found) {
                guard let range = IOVARange(start: range.start, last: range.last) else {
                    throw VFIOError(.malformedAnswer, Self.path, "a range of addresses that ends before it begins")
                }
                usable.append(range)
            }
            return IOVACapabilities(ranges: usable, alignment: request.out_iova_alignment)
        }
        throw VFIOError(.malformedAnswer, Self.path, "\(Request.ioasRanges.name): the list of addresses makes no sense")
    }

    /// Maps memory of this process for every device of the address space.
    func map(
        _ memory: UnsafeRawBufferPointer, at iova: UInt64, _ access: DMAAccess, ioas: UInt32, in iommufd: CInt
    ) throws(VFIOError) {
        var flags = IOMMU_IOAS_MAP_FIXED_IOVA.rawValue
        if access.contains(.read) { flags |= IOMMU_IOAS_MAP_READABLE.rawValue }
        if access.contains(.write) { flags |= IOMMU_IOAS_MAP_WRITEABLE.rawValue }
        var request = iommu_ioas_map()
        request.size = UInt32(MemoryLayout<iommu_ioas_map>.size)
        request.flags = flags
        request.ioas_id = ioas
        request.user_va = UInt64(UInt(bitPattern: memory.baseAddress))
        request.length = UInt64(memory.count)
        request.iova = iova
        try kernel.call(.ioasMap, on: iommufd, &request, for: Self.path)
    }

    /// Takes mappings away. Returns how many bytes were mapped.
    func unmap(_ range: IOVARange, ioas: UInt32, in iommufd: CInt) throws(VFIOError) -> UInt64 {
        var request = iommu_ioas_unmap()
        request.size = UInt32(MemoryLayout<iommu_ioas_unmap>.size)
        request.ioas_id = ioas
        request.iova = range.start
        request.length = range.count ?? .max
        try kernel.call(.ioasUnmap, on: iommufd, &request, for: Self.path)
        return request.length
    }
}

internal import CLinux
internal import LinuxIO

extension VFIODevice {
    /// A region's description: VFIO_DEVICE_GET_REGION_INFO, with its capabilities.
    ///
    /// - Throws: `.noSuchRegion` when the device does not have it, or has it with no bytes; `.malformedAnswer`.
    public borrowing func region(_ index: RegionIndex) throws(VFIOError) -> Region {
        guard let region = try describe(index) else {
            throw VFIOError(.noSuchRegion, name, "it has no \(index)")
        }
        return region
    }

    /// Every region that the device has, by index.
    public borrowing func regions() throws(VFIOError) -> [Region] {
        var regions: [Region] = []
        for number in 0..<info.regionCount {
            if let region = try describe(RegionIndex(rawValue: number)) { regions.append(region) }
        }
        return regions
    }

    private borrowing func describe(_ index: RegionIndex) throws(VFIOError) -> Region? {
        guard index.rawValue < info.regionCount else { return nil }
        var request = vfio_region_info()
        request.index = index.rawValue
        let answer: [UInt8]
        do {
            answer = try kernel.information(.getRegionInfo, on: descriptor.rawValue, request, for: name)
        } catch {
            // vfio-pci answers so for the VGA region of a device that is no VGA controller.
            if error.code == .noSuchRegion { return nil }
            throw error
        }
        do {
            let region = try Region(answer: answer)
            return region.size > 0 ? region : nil
        } catch {
            throw VFIOError(.malformedAnswer, name, "\(Request.getRegionInfo.name): \(error.reason)")
        }
    }

    /// Maps a region, or an area of it, into this process: mmap(2) of the device's file. Registers are then read and
    /// written by single loads and stores.
    ///
    /// - Parameters:
    ///   - region: as this device described it.
    ///   - area: which part; nil for all of it. A region with holes, such as one that contains the MSI-X table, is
    ///     mapped area by area: `region.mappableAreas`.
    /// - Throws: `.accessRefused` when it may not be mapped; `.outOfRange`; `.unaligned`.
    public borrowing func map(_ region: Region, area: Region.Area? = nil) throws(VFIOError) -> MappedRegion {
        let whole = Region.Area(offset: 0, size: region.size)
        let area = area ?? (region.mappableAreas.count == 1 ? region.mappableAreas[0] : whole)
        guard region.flags.contains(.mmap) else {
            throw VFIOError(
                .accessRefused, name, "\(region.index) may not be mapped: read and write it through the device's file")
        }
        guard area.size > 0, whole.contains(offset: area.offset, count: area.size) else {
            throw VFIOError(
                .outOfRange, name,
                "0x\(hex(area.size)) bytes at 0x\(hex(area.offset)) are not in \(region.index), "
                    + "which has 0x\(hex(region.size))"
            )
        }
        guard region.mappableAreas.contains(where: { $0.contains(offset: area.offset, count: area.size) }) else {
            let areas = region.mappableAreas.map { "0x\(hex($0.offset))+0x\(hex($0.size))" }.joined(separator: ", ")
            throw VFIOError(
                .accessRefused, name, "\(region.index) may be mapped in parts only: \(areas.isEmpty ? "none" : areas)")
        }
        guard area.offset % UInt64(MemoryMapping.Pages.ordinary.size) == 0 else {
            throw VFIOError(
                .unaligned, name, "a mapping of \(region.index) cannot begin at 0x\(hex(area.offset)), within a page")
        }
        // Smaller than any BAR of memory: MappedRegion's check counts on it.
        guard area.size >= 8 else {
            throw VFIOError(.accessRefused, name, "\(region.index) is too small to be mapped")
        }
        do {
            let memory = try MemoryMapping.file(
                descriptor, offset: region.fileOffset + area.offset, count: Int(area.size),
                access: region.flags.contains(.write) ? .readWrite : .read, subject: region.index.name)
            return MappedRegion(memory, of: region.index, from: area.offset, device: name)
        } catch {
            throw VFIOError(.refused, name, "could not map \(region.index): \(error.errno)", errno: error.errno)
        }
    }

    /// Reads a register through the device's file: pread(2).
    ///
    /// - Throws: `.outOfRange`, `.unaligned`, `.accessRefused` before the device is touched; `.shortTransfer`.
    public borrowing func read<Integer>(
        _ register: Register<Integer>, in region: Region
    ) throws(VFIOError) -> Integer {
        try region.admit(register.offset, width: MemoryLayout<Integer>.size, device: name)
        var bytes = [UInt8](repeating: 0, count: MemoryLayout<Integer>.size)
        var span = bytes.mutableSpan
        try read(into: &span, from: region, at: UInt64(register.offset))
        // Registers of PCI are little-endian, whatever the machine is.
        return Integer(littleEndian: bytes.load(at: 0))
    }

    /// Writes a register through the device's file: pwrite(2).
    ///
    /// - Throws: `.outOfRange`, `.unaligned`, `.accessRefused` before the device is touched; `.shortTransfer`.
    public borrowing func write<Integer>(
        _ value: Integer, to register: Register<Integer>, in region: Region
    ) throws(VFIOError) {
        try region.admit(register.offset, width: MemoryLayout<Integer>.size, device: name)
        var bytes = [UInt8](repeating: 0, count: MemoryLayout<Integer>.size)
        bytes.store(value.littleEndian, at: 0)
        try write(bytes.span, to: region, at: UInt64(register.offset))
    }

    /// Refuses a register that reading or writing would refuse, without touching the device.
    ///
    /// - Throws: `.outOfRange`, `.unaligned`, `.accessRefused`.
    public borrowing func check<Integer>(
        _ register: Register<Integer>, in region: Region, writing: Bool
    ) throws(VFIOError) {
        let width = MemoryLayout<Integer>.size
        try region.admit(register.offset, width: width, device: name)
        try region.admit(
            transferOf: width, at: UInt64(register.offset), writing ? .write : .read, device: name)
    }

    /// Reads a part of a region through the device's file: pread(2), all of it or an error.
    ///
    /// - Throws: `.outOfRange`, `.accessRefused` before the device is touched; `.shortTransfer` with the number of
    ///   bytes that came, which are in `bytes`.
    public borrowing func read(
        into bytes: inout MutableSpan<UInt8>, from region: Region, at offset: UInt64
    ) throws(VFIOError) {
        try region.admit(transferOf: bytes.count, at: offset, .read, device: name)
        let count: Int
        do {
            count = try descriptor.read(into: &bytes, at: region.fileOffset + offset, subject: region.index.name)
        } catch {
            throw VFIOError(
                .refused, name, "could not read \(region.index) at 0x\(hex(offset)): \(error.errno)", errno: error.errno
            )
        }
        try region.confirm(count, of: bytes.count, at: offset, "read", device: name)
    }

    /// Writes a part of a region through the device's file: pwrite(2), all of it or an error.
    ///
    /// - Throws: `.outOfRange`, `.accessRefused` before the device is touched; `.shortTransfer` with the number of
    ///   bytes that were written.
    public borrowing func write(_ bytes: Span<UInt8>, to region: Region, at offset: UInt64) throws(VFIOError) {
        try region.admit(transferOf: bytes.count, at: offset, .write, device: name)
        let count: Int
        do {
            count = try descriptor.write(bytes, at: region.fileOffset + offset, subject: region.index.name)
        } catch {
            throw VFIOError(
                .refused, name, "could not write \(region.index) at 0x\(hex(offset)): \(error.errno)",
                errno: error.errno)
        }
        try region.confirm(count, of: bytes.count, at: offset, "written", device: name)
    }

    /// Lets the device master the bus, or stops it: bit 2 of the Command register. VFIO leaves it off, and without it a
    /// device does no DMA and sends no message-signalled interrupt.
    public borrowing func setBusMaster(_ isOn: Bool = true) throws(VFIOError) {
        let config = try region(.config)
        let command = Register<UInt16>(4)
        let before = try read(command, in: config)
        try write(isOn ? before | 4 : before & ~4, to: command, in: config)
    }
}

extension Region {
    /// Refuses a register that is not in the region.
    func admit(_ offset: Int, width: Int, device: String) throws(VFIOError) {
        guard offset % width == 0 else {
            throw VFIOError.unaligned(offset: offset, width: width, alignment: width, device: device)
        }
        guard offset >= 0, Area(offset: 0, size: size).contains(offset: UInt64(offset), count: UInt64(width)) else {
            throw VFIOError.outside(offset: offset, width: width, of: index, size: size, device: device)
        }
    }

    func admit(transferOf count: Int, at offset: UInt64, _ direction: Flags, device: String) throws(VFIOError) {
        guard flags.contains(direction) else {
            let verb = direction == .read ? "read" : "written"
            throw VFIOError(.accessRefused, device, "\(index) may not be \(verb)")
        }
        guard Area(offset: 0, size: size).contains(offset: offset, count: UInt64(count)) else {
            throw VFIOError(
                .outOfRange, device, "\(count) bytes at 0x\(hex(offset)) are not in \(index), which has 0x\(hex(size))")
        }
    }

    func confirm(_ done: Int, of count: Int, at offset: UInt64, _ verb: String, device: String) throws(VFIOError) {
        guard done < count else { return }
        throw VFIOError(
            .shortTransfer(done), device, "only \(done) of \(count) bytes of \(index) at 0x\(hex(offset)) were \(verb)")
    }
}

extension VFIOError {
    static func outside(offset: Int, width: Int, of index: RegionIndex, size: UInt64, device: String) -> VFIOError {
        let place = offset < 0 ? "\(offset)" : "0x\(hex(offset))"
        return VFIOError(
            .outOfRange, device,
            "a register of \(width * 8) bits at \(place) is not in \(index), which has 0x\(hex(size)) bytes")
    }

    static func unaligned(offset: Int, width: Int, alignment: Int, device: String) -> VFIOError {
        VFIOError(
            .unaligned, device,
            "0x\(hex(offset)) is not aligned for a register of \(width * 8) bits: it is no multiple of \(alignment)")
    }
}

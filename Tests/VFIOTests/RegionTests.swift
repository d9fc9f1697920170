internal import LinuxIO
internal import SystemPackage
internal import Testing

@testable internal import VFIO

@Suite("A region")
struct RegionTests {
    @Test("is described with its size, place and flags; one that is empty or unknown is not there")
    func description() throws {
        let device = try ScriptedKernel().open(.iommufd)
        let regions = try device.regions()
        #expect(regions.map(\.index) == [.bar0, .config])
        #expect(regions[0].size == 0x4000 && regions[0].fileOffset == 0x1000)
        #expect(regions[0].flags.names == ["read", "write", "mmap"])
        #expect(regions[0].mappableAreas == [Region.Area(offset: 0, size: 0x4000)])
        #expect(regions[1].mappableAreas == [])
        for index in [RegionIndex.bar1, .vga, RegionIndex(rawValue: 9), RegionIndex(rawValue: .max)] {
            let error = try refusal { try device.region(index) }
            #expect(error.code == .noSuchRegion && error.message == "it has no \(index)")
        }
    }

    @Test("keeps its capabilities: sparse areas, its kind, MSI-X mappable, and unknown ones")
    func capabilities() throws {
        let areas = pairs([(0x3000, 0x1000), (0, 0x2000), (0x2000, 0)])
        let sparse = capability(1, next: UInt32(32 + 8 + areas.count), areas)
        let kind = capability(2, next: UInt32(32 + sparse.count + 16), [1, 0, 0, 0x80, 2, 0, 0, 0])
        let mappable = capability(3, next: UInt32(32 + sparse.count + kind.count + 8))
        let unknown = capability(99, [7])
        let kernel = ScriptedKernel { $0.regions[0]?.capabilities = sparse + kind + mappable + unknown }
        let region = try kernel.open(.group).region(.bar0)
        #expect(
            region.mappableAreas == [Region.Area(offset: 0, size: 0x2000), Region.Area(offset: 0x3000, size: 0x1000)])
        #expect(region.kind == Region.Kind(type: 0x8000_0001, subtype: 2))
        #expect(region.isMSIXMappable)
        #expect(region.capabilities.last == InfoCapability(id: 99, version: 1, content: [7]))
    }

    @Test(
        "with a chain that makes no sense is refused, and the device stays usable",
        arguments: [
            capability(1, next: 32), capability(1, next: 4), capability(1, next: 1 << 20),
            capability(1, pairs([(0, 0x4000)], claiming: 9)), capability(1, pairs([(0x3000, 0x2000)])),
            capability(1, pairs([(.max, 1)])), capability(1, pairs([(1, .max)])), capability(2, [1, 2, 3]),
        ])
    func hostile(chain: [UInt8]) throws {
        let kernel = ScriptedKernel { $0.regions[0]?.capabilities = chain }
        let device = try kernel.open(.iommufd)
        let error = try refusal { try device.region(.bar0) }
        #expect(error.code == .malformedAnswer)
        #expect(error.description.hasPrefix("0000:01:00.0: VFIO_DEVICE_GET_REGION_INFO: "))
        #expect(try device.region(.config).size == 0x100)
    }

    @Test("that claims to lie beyond what a file can have is refused")
    func beyond() throws {
        let kernel = ScriptedKernel { $0.regions[0]?.size = .max }
        let device = try kernel.open(.group)
        #expect(try refusal { try device.region(.bar0) }.code == .malformedAnswer)
    }

    @Test("is read and written through the device's file, at its place, little-endian")
    func transfers() throws {
        let device = try ScriptedKernel().open(.group)
        let bar = try device.region(.bar0)
        try device.write(0x1122_3344 as UInt32, to: Register(0x10), in: bar)
        #expect(try device.read(Register<UInt8>(0x10), in: bar) == 0x44)
        #expect(try device.read(Register<UInt64>(0x10), in: bar) == 0x1122_3344)
        var byte: [UInt8] = [0]
        var span = byte.mutableSpan
        _ = try device.descriptor.read(into: &span, at: 0x1013, subject: "the device's file")
        #expect(byte == [0x11])
    }

    @Test("refuses what lies outside or is not aligned before the device is touched")
    func bounds() throws {
        let device = try ScriptedKernel().open(.group)
        let bar = try device.region(.bar0)
        #expect(try refusal { try device.read(Register<UInt32>(0x4000), in: bar) }.code == .outOfRange)
        #expect(try refusal { try device.read(Register<UInt64>(0x3ffc), in: bar) }.code == .unaligned)
        #expect(try refusal { try device.read(Register<UInt8>(-1), in: bar) }.code == .outOfRange)
        #expect(try refusal { try device.read(Register<UInt8>(.max), in: bar) }.code == .outOfRange)
        #expect(try refusal { try device.write(0 as UInt32, to: Register(2), in: bar) }.code == .unaligned)
        let readOnly = ScriptedKernel { $0.regions[0]?.flags = 1 }
        let other = try readOnly.open(.group)
        let region = try other.region(.bar0)
        #expect(try refusal { try other.write(0 as UInt8, to: Register(0), in: region) }.code == .accessRefused)
    }

    @Test("whose transfer comes short or fails says so, and how far it came")
    func shortTransfers() throws {
        let kernel = ScriptedKernel { $0.deviceFileSize = 0x1000 + 0x12 }
        let device = try kernel.open(.iommufd)
        let bar = try device.region(.bar0)
        let error = try refusal { try device.read(Register<UInt32>(0x10), in: bar) }
        #expect(error.code == .shortTransfer(2))
        #expect(error.description == "0000:01:00.0: only 2 of 4 bytes of bar0 at 0x10 were read")
        #expect(try refusal { try device.read(Register<UInt32>(0x20), in: bar) }.code == .shortTransfer(0))
    }

    @Test("lets the device master the bus by its command register, and leaves the other bits alone")
    func busMaster() throws {
        let device = try ScriptedKernel().open(.iommufd)
        let config = try device.region(.config)
        let command = Register<UInt16>(4)
        try device.write(0x0102, to: command, in: config)
        try device.setBusMaster()
        #expect(try device.read(command, in: config) == 0x0106)
        try device.setBusMaster(false)
        #expect(try device.read(command, in: config) == 0x0102)
    }

    @Test("has a name, and is found by it")
    func names() {
        for number in 0...12 as ClosedRange<UInt32> {
            let index = RegionIndex(rawValue: number)
            #expect(RegionIndex(name: index.name) == index)
        }
        #expect(RegionIndex(name: "BAR0") == .bar0)
        for name in ["", "bar", "bar6", "region", "region-1", "region+9", "region09", "9", " rom"] {
            #expect(RegionIndex(name: name) == nil, "\(name)")
        }
    }
}

@Suite("A mapped region")
struct MappedRegionTests {
    @Test("shows the registers that the device's file shows, at every width")
    func registers() throws {
        let device = try ScriptedKernel().open(.iommufd)
        let region = try device.region(.bar0)
        let bar = try device.map(region)
        try bar.write(0x0123_4567_89ab_cdef, to: Register<UInt64>(0x3ff8))
        #expect(try device.read(Register<UInt64>(0x3ff8), in: region) == 0x0123_4567_89ab_cdef)
        try device.write(0xbeef as UInt16, to: Register(0x3ffe), in: region)
        #expect(try bar.read(Register<UInt16>(0x3ffe)) == 0xbeef)
        #expect(try bar.read(Register<UInt8>(0x3fff)) == 0xbe)
        #expect(try bar.read(Register<UInt32>(0x3ffc)) == 0xbeef_4567)
        #expect(unsafe bar.readUnchecked(Register<UInt32>(0x3ffc)) == 0xbeef_4567)
        for order in [HalfOrder.lowHigh, .highLow] {
            try bar.write(0x1111_2222_3333_4444, to: Register(0x14), halves: order)
            #expect(try bar.read(Register(0x14), halves: order) == 0x1111_2222_3333_4444)
        }
    }

    @Test("refuses what lies outside or is not aligned before anything is touched")
    func bounds() throws {
        let device = try ScriptedKernel().open(.iommufd)
        let bar = try device.map(device.region(.bar0))
        #expect(try refusal { try bar.read(Register<UInt32>(0x4000)) }.code == .outOfRange)
        #expect(try refusal { try bar.read(Register<UInt64>(0x3ffc)) }.code == .unaligned)
        #expect(try refusal { try bar.read(Register<UInt32>(-4)) }.code == .outOfRange)
        #expect(try refusal { try bar.write(1, to: Register<UInt8>(.max)) }.code == .outOfRange)
        #expect(try refusal { try bar.write(1, to: Register<UInt8>(.min)) }.code == .outOfRange)
        let unaligned = try refusal { try bar.read(Register<UInt32>(0x12)) }
        #expect(unaligned.code == .unaligned)
        #expect(
            unaligned.description
                == "0000:01:00.0: 0x12 is not aligned for a register of 32 bits: it is no multiple of 4")
        #expect(try refusal { try bar.read(Register(0x12), halves: .lowHigh) }.code == .unaligned)
        #expect(try refusal { try bar.write(0, to: Register(0x3ffc), halves: .highLow) }.code == .outOfRange)
    }

    @Test("that is an area still counts its registers from the region's beginning")
    func area() throws {
        let kernel = ScriptedKernel {
            $0.regions[0]?.capabilities = capability(1, pairs([(0, 0x1000), (0x2000, 0x1000)]))
        }
        let device = try kernel.open(.group)
        let region = try device.region(.bar0)
        #expect(try refusal { try device.map(region) }.code == .accessRefused)
        let bar = try device.map(region, area: region.mappableAreas[1])
        try bar.write(0x55, to: Register<UInt8>(0x2001))
        #expect(try device.read(Register<UInt8>(0x2001), in: region) == 0x55)
        #expect(try refusal { try bar.read(Register<UInt8>(0x1fff)) }.code == .outOfRange)
        #expect(try refusal { try bar.read(Register<UInt8>(0x3000)) }.code == .outOfRange)
    }

    @Test("is refused where the region may not be mapped, or not there")
    func refusals() throws {
        let device = try ScriptedKernel().open(.iommufd)
        let config = try device.region(.config)
        #expect(try refusal { try device.map(config) }.code == .accessRefused)
        let bar = try device.region(.bar0)
        for area in [
            Region.Area(offset: 0, size: 0), Region.Area(offset: 0, size: 0x5000),
            Region.Area(offset: .max, size: .max),
        ] {
            #expect(try refusal { try device.map(bar, area: area) }.code == .outOfRange)
        }
        let within = Region.Area(offset: 0x10, size: 0x10)
        #expect(try refusal { try device.map(bar, area: within) }.code == .unaligned)
    }

    @Test("of a region that may not be written can only be read")
    func readOnly() throws {
        let kernel = ScriptedKernel { $0.regions[0]?.flags = 5 }
        let device = try kernel.open(.iommufd)
        let bar = try device.map(device.region(.bar0))
        #expect(try bar.read(Register<UInt32>(0)) == 0)
        #expect(try refusal { try bar.write(1, to: Register<UInt32>(0)) }.code == .accessRefused)
        #expect(try refusal { try bar.write(1, to: Register(0), halves: .lowHigh) }.code == .accessRefused)
    }
}

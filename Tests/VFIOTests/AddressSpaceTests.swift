internal import LinuxIO
internal import SystemPackage
internal import Testing

@testable internal import VFIO

@Suite("An address space")
struct AddressSpaceTests {
    private func mapRequest(_ backend: VFIOBackend) -> String {
        backend == .group ? "VFIO_IOMMU_MAP_DMA" : "IOMMU_IOAS_MAP"
    }

    private func unmapRequest(_ backend: VFIOBackend) -> String {
        backend == .group ? "VFIO_IOMMU_UNMAP_DMA" : "IOMMU_IOAS_UNMAP"
    }

    @Test("says which addresses it takes", arguments: VFIOBackend.allCases)
    func ranges(backend: VFIOBackend) throws {
        let kernel = ScriptedKernel()
        let device = try kernel.open(backend)
        let capabilities = try device.addressSpace.capabilities()
        #expect(capabilities.ranges.map(\.description) == ["0x0-0xfedfffff", "0xfef00000-0xffffffffffff"])
        #expect(capabilities.alignment == 4096)
    }

    @Test("asks again with more room when there are many ranges", arguments: VFIOBackend.allCases)
    func manyRanges(backend: VFIOBackend) throws {
        let kernel = ScriptedKernel { $0.ranges = (0..<100).map { ($0 << 32, $0 << 32 | 0xffff) } }
        let device = try kernel.open(backend)
        #expect(try device.addressSpace.capabilities().ranges.count == 100)
    }

    @Test("maps a buffer with the request's fields in their places, and unmaps it when it goes")
    func group() throws {
        let kernel = ScriptedKernel()
        let device = try kernel.open(.group)
        do {
            let buffer = try device.addressSpace.map(.anonymous(count: 8192), at: 0x10_0000, access: .write)
            #expect(buffer.iova == 0x10_0000 && buffer.range.count == 8192)
            let argument = try kernel.argument(of: "VFIO_IOMMU_MAP_DMA")
            #expect(argument.count == 32 && argument.load(UInt32.self, at: 4) == 2)
            #expect(argument.load(UInt64.self, at: 8) == UInt64(UInt(bitPattern: unsafe buffer.memory.address)))
            #expect(argument.load(UInt64.self, at: 16) == 0x10_0000 && argument.load(UInt64.self, at: 24) == 8192)
            #expect(!kernel.requests.contains("VFIO_IOMMU_UNMAP_DMA"))
        }
        let argument = try kernel.argument(of: "VFIO_IOMMU_UNMAP_DMA")
        #expect(argument.load(UInt64.self, at: 8) == 0x10_0000 && argument.load(UInt64.self, at: 16) == 8192)
    }

    @Test("of an iommufd does the same with its own requests")
    func iommufd() throws {
        let kernel = ScriptedKernel()
        let device = try kernel.open(.iommufd)
        do {
            let buffer = try device.addressSpace.map(.anonymous(count: 4096), at: 0x2000)
            let argument = try kernel.argument(of: "IOMMU_IOAS_MAP")
            #expect(argument.count == 40 && argument.load(UInt32.self, at: 4) == 7)
            #expect(argument.load(UInt32.self, at: 8) == 77)
            #expect(argument.load(UInt64.self, at: 16) == UInt64(UInt(bitPattern: unsafe buffer.memory.address)))
            #expect(argument.load(UInt64.self, at: 24) == 4096 && argument.load(UInt64.self, at: 32) == 0x2000)
        }
        let argument = try kernel.argument(of: "IOMMU_IOAS_UNMAP")
        #expect(argument.load(UInt32.self, at: 4) == 77)
        #expect(argument.load(UInt64.self, at: 8) == 0x2000 && argument.load(UInt64.self, at: 16) == 4096)
    }

    @Test("gives the memory back when a buffer is unmapped in so many words", arguments: VFIOBackend.allCases)
    func unmapping(backend: VFIOBackend) throws {
        let kernel = ScriptedKernel()
        let device = try kernel.open(backend)
        var buffer = try device.addressSpace.map(.anonymous(count: 4096), at: 0)
        buffer.withMutableBytes { $0[5] = 0x77 }
        let memory = try buffer.unmap()
        #expect(memory.load(UInt8.self, at: 5) == 0x77)
        #expect(kernel.requests.count { $0 == unmapRequest(backend) } == 1)
    }

    @Test(
        "refuses what the IOMMU does not take, naming what it takes, before it is asked",
        arguments: VFIOBackend.allCases)
    func refused(backend: VFIOBackend) throws {
        let kernel = ScriptedKernel()
        let device = try kernel.open(backend)
        let space = device.addressSpace
        for iova in [0xfee0_0000, 0xfedf_f000, 1 << 48, UInt64.max - 8191] {
            let error = try refusal { try space.map(.anonymous(count: 8192), at: iova) }
            #expect(error.code == .addressRefused, "\(hex(iova))")
            #expect(error.description.hasSuffix("it takes 0x0-0xfedfffff, 0xfef00000-0xffffffffffff"))
        }
        #expect(try refusal { try space.map(.anonymous(count: 4096), at: 0x800) }.code == .unaligned)
        #expect(try refusal { try space.map(.anonymous(count: 4096), at: .max - 100) }.code == .outOfRange)
        #expect(!kernel.requests.contains(mapRequest(backend)))
    }

    @Test("looks again before it refuses: ranges widen when another device goes", arguments: VFIOBackend.allCases)
    func widened(backend: VFIOBackend) throws {
        let kernel = ScriptedKernel { $0.ranges = [(0, 0xffff)] }
        let device = try kernel.open(backend)
        kernel.change { $0.ranges = [(0, 0xffff_ffff)] }
        #expect(try device.addressSpace.map(.anonymous(count: 4096), at: 0x10_0000).iova == 0x10_0000)
        #expect(device.name == ScriptedKernel.name)
    }

    @Test("that is a container takes nothing without a device, and says so")
    func empty() throws {
        let kernel = ScriptedKernel()
        let space = try IOAddressSpace(.group, for: "a test", calls: kernel)
        #expect(try space.capabilities().ranges == [])
        let error = try refusal { try space.map(.anonymous(count: 4096), at: 0) }
        #expect(error.code == .addressRefused && error.description.contains("no device is open in it"))
        let after = try kernel.open(.group).addressSpace
        #expect(try refusal { try after.map(.anonymous(count: 4096), at: 0) }.code == .addressRefused)
    }

    @Test(
        "tells what a refusal of the kernel means",
        arguments: [
            (Errno.noMemory, VFIOError.Code.limitReached, "RLIMIT_MEMLOCK"),
            (.fileExists, .addressInUse, "unmap it first"),
            (.badAddress, .refused, "not mapped in this process"),
        ], VFIOBackend.allCases)
    func explained(refused: (Errno, VFIOError.Code, String), backend: VFIOBackend) throws {
        let kernel = ScriptedKernel {
            $0.refused[backend == .group ? "VFIO_IOMMU_MAP_DMA" : "IOMMU_IOAS_MAP"] = refused.0
        }
        let device = try kernel.open(backend)
        let error = try refusal { try device.addressSpace.map(.anonymous(count: 4096), at: 0) }
        #expect(error.code == refused.1 && error.errno == refused.0)
        #expect(error.description.contains(refused.2))
        #expect(!kernel.requests.contains(unmapRequest(backend)))
    }

    @Test("says when there was nothing to unmap", arguments: VFIOBackend.allCases)
    func nothing(backend: VFIOBackend) throws {
        let kernel = ScriptedKernel { $0.bytesUnmapped = 0 }
        let device = try kernel.open(backend)
        let range = try #require(IOVARange(start: 0x1000, count: 4096))
        #expect(try refusal { try device.addressSpace.unmap(range) }.code == .addressInUse)
    }

    @Test("counts ranges to the very end of the address space")
    func rangeArithmetic() {
        #expect(IOVARange(start: .max, count: 1)?.last == .max)
        #expect(IOVARange(start: .max, count: 2) == nil)
        #expect(IOVARange(start: 0, count: 0) == nil)
        #expect(IOVARange(start: 0, count: -1) == nil)
        #expect(IOVARange(start: 2, last: 1) == nil)
        #expect(IOVARange(start: 0, last: .max)?.count == nil)
        #expect(IOVARange(start: 1, last: .max)?.count == .max)
    }
}

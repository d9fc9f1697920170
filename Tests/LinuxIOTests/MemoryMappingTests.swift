internal import LinuxIO
internal import SystemPackage
internal import Testing

@Suite("Mapped memory")
struct MemoryMappingTests {
    @Test("of our own is zeroed, page-aligned, and made of whole pages")
    func anonymous() throws {
        let page = MemoryMapping.Pages.ordinary.size
        let memory = try MemoryMapping.anonymous(count: page + 1)
        #expect(memory.count == 2 * page)
        #expect(unsafe UInt(bitPattern: memory.address) % UInt(page) == 0)
        let isZero = memory.withBytes { bytes in bytes.indices.allSatisfy { bytes[$0] == 0 } }
        #expect(isZero)
    }

    @Test("of a file shows the file, and changes it")
    func file() throws {
        let page = MemoryMapping.Pages.ordinary.size
        let file = try temporaryFile([UInt8](repeating: 0x5a, count: 2 * page))
        let memory = try MemoryMapping.file(file, offset: UInt64(page), count: page, subject: "a file")
        #expect(memory.load(UInt32.self, at: 8) == 0x5a5a_5a5a)
        memory.store(0x0102_0304 as UInt32, at: 8)

        #expect(try content(of: file, at: UInt64(page) + 8, count: 4) == [4, 3, 2, 1])
    }

    @Test("is read and written at each width, and in halves in either order")
    func widths() throws {
        let memory = try MemoryMapping.anonymous(count: 64)
        memory.store(0x1122_3344_5566_7788 as UInt64, at: 16)
        #expect(memory.load(UInt8.self, at: 17) == 0x77)
        #expect(memory.load(UInt16.self, at: 18) == 0x5566)
        #expect(memory.load(UInt32.self, at: 20) == 0x1122_3344)
        for order in [HalfOrder.lowHigh, .highLow] {
            unsafe UInt64.volatileStore(0xaabb_ccdd_0011_2233, to: memory.address + 36, halves: order)
            #expect(memory.load(UInt32.self, at: 36) == 0x0011_2233)
            #expect(memory.load(UInt32.self, at: 40) == 0xaabb_ccdd)
            #expect(unsafe UInt64.volatileLoad(from: memory.address + 36, halves: order) == 0xaabb_ccdd_0011_2233)
        }
    }

    @Test("admits an access only inside it and aligned to its width")
    func bounds() throws {
        let memory = try MemoryMapping.anonymous(count: 1)
        let end = memory.count
        #expect(memory.admits(offset: end - 8, width: 8) == true)
        #expect(memory.admits(offset: end - 4, width: 8) == false)
        #expect(memory.admits(offset: end, width: 1) == false)
        #expect(memory.admits(offset: -1, width: 1) == false)
        #expect(memory.admits(offset: .max, width: 8) == false)
        #expect(memory.admits(offset: 2, width: 4) == false)
    }

    @Test("that the kernel refuses is an error with the call, the thing and the answer")
    func refusals() throws {
        let file = try temporaryFile([0])
        var error = #expect(throws: SystemCallError.self) {
            _ = try MemoryMapping.file(file, offset: 1, count: 1, subject: "BAR 0").count
        }
        #expect(error?.call == "mmap" && error?.subject == "BAR 0" && error?.errno == .invalidArgument)
        error = #expect(throws: SystemCallError.self) { _ = try MemoryMapping.anonymous(count: 0).count }
        #expect(error?.errno == .invalidArgument)
        error = #expect(throws: SystemCallError.self) { _ = try MemoryMapping.anonymous(count: .max).count }
        #expect(error?.errno == .invalidArgument)
    }

    @Test("for reading only ends the process when it is stored to, instead of the kernel doing it")
    func readOnly() async throws {
        await #expect(processExitsWith: .failure) {
            let file = try temporaryFile([UInt8](repeating: 0, count: 4096))
            let memory = try MemoryMapping.file(file, offset: 0, count: 4096, access: .read, subject: "a file")
            memory.store(1 as UInt8, at: 0)
        }
    }
}

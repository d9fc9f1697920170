internal import PCI
internal import Testing

@Suite("Lists of capabilities")
struct CapabilityWalkTests {
    @Test("both lists are followed in their own order, not that of the offsets")
    func order() {
        var device = ConfigurationBuilder()
        device.addExpress(at: 0xa0)
        device.add(0x05, at: 0x50, [0x80, 0x00])
        device.add(0x11, at: 0x70)
        device.addExtended(0x0001, version: 2, at: 0x100)
        device.addExtended(0x000e, at: 0x200)
        device.addExtended(0x000d, at: 0x140)
        let space = device.space
        #expect(space.capabilities.map(\.offset) == [0xa0, 0x50, 0x70])
        #expect(space.capabilities.map(\.id) == [.standard(0x10), .standard(0x05), .standard(0x11)])
        #expect(space.extendedCapabilities.map(\.offset) == [0x100, 0x200, 0x140])
        #expect(space.extendedCapabilities.map(\.id) == [.extended(1), .extended(0xe), .extended(0xd)])
        #expect(space.extendedCapabilities.map(\.version) == [2, 1, 1])
        #expect(space.faults == [])
    }

    @Test("a loop ends the list at the capability that comes again")
    func loops() {
        var device = ConfigurationBuilder()
        device.addExpress()
        device.add(0x05, at: 0x80, [0x80, 0x00])
        device.bytes[0x81] = 0x40
        device.addExtended(0x0e, at: 0x100)
        device.addExtended(0x0d, at: 0x140)
        device.set(0x142, [0x01, 0x10])
        let space = device.space
        #expect(space.capabilities.map(\.offset) == [0x40, 0x80])
        #expect(space.extendedCapabilities.map(\.offset) == [0x100, 0x140])
        #expect(space.faults == [.loop(at: 0x40), .loop(at: 0x100)])
        #expect(space.notes.first == "the list of capabilities loops at 40")
    }

    @Test("a pointer into the header, or below 0x100 in the extended list, leads nowhere")
    func outOfRange() {
        var device = ConfigurationBuilder()
        device.addExpress()
        device.bytes[0x41] = 0x10
        device.addExtended(0x0e, at: 0x100)
        device.set(0x102, [0x01, 0x08])
        #expect(device.space.allCapabilities.map(\.offset) == [0x40, 0x100])
        #expect(device.space.faults == [.outOfRange(to: 0x10), .outOfRange(to: 0x80)])
    }

    @Test("64 bytes, as the kernel gives to whoever is not root: the list is known to go on, and not where to")
    func truncatedToTheHeader() {
        var device = ConfigurationBuilder()
        device.addExpress(at: 0xa0)
        device.addExtended(0x0d, at: 0x100)
        let space = ConfigurationSpace(bytes: device.bytes.prefix(64))
        #expect(space.header?.vendorID == 0x8086)
        #expect(space.allCapabilities == [])
        #expect(space.faults == [.notRead(at: 0xa0)])
    }

    @Test("256 bytes have no extended list")
    func truncatedToStandard() {
        var device = ConfigurationBuilder()
        device.addExpress(at: 0xa0)
        device.addExtended(0x0d, at: 0x100)
        let space = ConfigurationSpace(bytes: device.bytes.prefix(256))
        #expect(space.allCapabilities.map(\.offset) == [0xa0])
        #expect(space.faults == [])
    }

    @Test("a capability that is cut off is in the list, and has no fields")
    func cut() {
        var device = ConfigurationBuilder()
        device.add(0x10, at: 0xf8, [0x02, 0x00])
        let space = device.space
        #expect(space.capabilities.map(\.content) == [.cut])
        #expect(space.faults == [.cut(at: 0xf8)])
        #expect(space.pciExpress == nil)
    }

    @Test("a capability of all ones ends the list")
    func allOnes() {
        var device = ConfigurationBuilder()
        device.addExpress()
        device.add(0xff, at: 0x80)
        device.addExtended(0x0e, at: 0x100)
        device.addExtended(0x0d, at: 0x140)
        device.set(0x140, [0xff, 0xff, 0xff, 0xff])
        #expect(device.space.allCapabilities.map(\.offset) == [0x40, 0x100])
        #expect(device.space.faults == [.allOnes(at: 0x80), .allOnes(at: 0x140)])
    }

    @Test("a conventional device has no extended list, whatever lies at 0x100")
    func conventional() {
        var device = ConfigurationBuilder()
        device.add(0x01, at: 0x40, [0x03, 0x00, 0x00, 0x00])
        device.addExtended(0x0d, at: 0x100)
        #expect(device.space.extendedCapabilities == [])
    }

    @Test("a device that is gone, one that is no device, nothing at all: a note each, and no capability")
    func noDevice() {
        #expect(ConfigurationSpace(bytes: []).faults == [.noHeader(count: 0)])
        #expect(ConfigurationSpace(bytes: [0x86, 0x80]).faults == [.noHeader(count: 2)])
        let gone = ConfigurationSpace(bytes: [UInt8](repeating: 0xff, count: 256))
        #expect(gone.faults == [.silent] && gone.isSilent && gone.allCapabilities == [])
        let odd = ConfigurationBuilder(size: 256, type: 0x85).space
        #expect(odd.faults == [.unknownLayout(5)])
        #expect(odd.header?.isMultifunction == true)
    }

    @Test("whatever the bytes, the walk ends: the last of each list in turn points to every place")
    func everyPointer() {
        for pointer in 0...255 {
            var device = ConfigurationBuilder(size: 512)
            device.addExpress()
            device.add(0x05, at: 0x80)
            device.bytes[0x81] = UInt8(pointer)
            device.addExtended(0x0d, at: 0x100)
            device.set(0x102, [UInt8(pointer & 0xf) << 4 | 1, UInt8(pointer)])
            let space = device.space
            #expect(space.capabilities.count <= 48 && space.extendedCapabilities.count <= 960)
        }
    }

    @Test("a configuration space is written and read back as what it is: its bytes")
    func equality() {
        var device = ConfigurationBuilder()
        device.addExpress()
        #expect(
            device.space == ConfigurationSpace(bytes: device.bytes + [1, 2, 3]), "bytes past 4096 are no part of it")
        #expect(device.space != ConfigurationBuilder().space)
    }
}

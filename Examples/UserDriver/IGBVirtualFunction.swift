internal import LinuxIO
internal import VFIO

/// As much of a driver for a virtual function of Intel's 82576 as its interrupts take (82576 datasheet, 7.3 and 9.1.2).
///
/// The physical function's driver has to have its interface up: it is what switches the card to MSI-X.
struct IGBVirtualFunction: ~Copyable {
    private enum Registers {
        static let interruptCauseSet = Register<UInt32>(0x1520)
        static let interruptMaskSet = Register<UInt32>(0x1524)
        static let interruptMaskClear = Register<UInt32>(0x1528)
        static let interruptAutoClear = Register<UInt32>(0x152c)
    }

    private let device: VFIODevice
    private let registers: MappedRegion

    init(_ device: consuming VFIODevice) throws {
        registers = try device.map(device.region(.bar0))
        self.device = device
    }

    func prove() throws {
        let config = try device.region(.config)
        // A virtual function's own ids read as ffff: VFIO puts the right ones in their place.
        try expect("vendor 8086, device 10ca", device.read(Register<UInt32>(0), in: config), is: 0x10ca_8086)

        let count = try device.interrupt(.msix).count
        try expect("it has three MSI-X vectors", count, is: 3)
        let events = try (0..<count).map { _ in try EventFD() }
        try device.setBusMaster()
        try device.enable(.msix, signalling: events)

        let all: UInt32 = 1 << count - 1
        try registers.write(all, to: Registers.interruptAutoClear)
        try registers.write(all, to: Registers.interruptMaskSet)
        for vector in 0..<count {
            try registers.write(1 << vector, to: Registers.interruptCauseSet)
            try expectOnly(vector, of: events, "MSI-X \(vector), raised by the device, arrives at its eventfd")
        }
        try registers.write(all, to: Registers.interruptMaskClear)

        for vector in 0..<count {
            try device.trigger(.msix, vector: vector)
            try expectOnly(vector, of: events, "MSI-X \(vector), raised by the kernel's loopback, does too")
        }
        try device.disable(.msix)
    }

    private func expectOnly(_ vector: UInt32, of events: [EventFD], _ what: String) throws {
        guard try events[Int(vector)].wait(atMost: .seconds(10)) != nil else {
            throw Disproof(description: "\(what): none came within 10 seconds (is the card's own interface up?)")
        }
        try expect(what, events.map { try $0.take() }, is: events.map { _ in 0 })
    }
}

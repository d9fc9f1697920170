internal import LinuxIO
internal import VFIO

/// A driver for QEMU's teaching device (docs/specs/edu.rst).
struct Edu: ~Copyable {
    private enum Registers {
        static let identity = Register<UInt32>(0x00)
        static let liveness = Register<UInt32>(0x04)
        static let factorial = Register<UInt32>(0x08)
        static let status = Register<UInt32>(0x20)
        static let interruptStatus = Register<UInt32>(0x24)
        static let raiseInterrupt = Register<UInt32>(0x60)
        static let acknowledgeInterrupt = Register<UInt32>(0x64)
        static let dmaSource = Register<UInt64>(0x80)
        static let dmaDestination = Register<UInt64>(0x88)
        static let dmaCount = Register<UInt64>(0x90)
        static let dmaCommand = Register<UInt64>(0x98)
    }

    /// In the status register: interrupt when the factorial is computed.
    private static let interruptAfterFactorial: UInt32 = 0x80

    private enum DMACommand {
        static let toDevice: UInt64 = 0x1
        static let fromDevice: UInt64 = 0x3
        static let interruptWhenDone: UInt64 = 0x4
    }

    /// The device's own memory, where its DMA engine sees it. It has 4 KiB, and 28 address lines for everybody else's.
    private static let deviceMemory: UInt64 = 0x40000

    private let device: VFIODevice
    private let registers: MappedRegion
    private let interrupt: EventFD

    init(_ device: consuming VFIODevice) throws {
        let interrupt = try EventFD()
        let registers = try device.map(device.region(.bar0))
        self.device = device
        self.registers = registers
        self.interrupt = interrupt
    }

    func prove() throws {
        try expect("identity 0x010000ed", registers.read(Registers.identity), is: 0x0100_00ed)

        try registers.write(0x1234_5678, to: Registers.liveness)
        try expect("it answers 0x12345678 with its inverse", registers.read(Registers.liveness), is: ~0x1234_5678)

        // Without the bus, a device can neither do DMA nor send a message-signalled interrupt.
        try device.setBusMaster()
        try device.enable(.msi, signalling: interrupt)

        try registers.write(0x10, to: Registers.raiseInterrupt)
        try expect("an MSI arrives at the eventfd", waitForInterrupt(), is: 0x10)

        try registers.write(Self.interruptAfterFactorial, to: Registers.status)
        try registers.write(12, to: Registers.factorial)
        _ = try waitForInterrupt()
        try expect("12! is 479001600, told by an MSI", registers.read(Registers.factorial), is: 479_001_600)

        try proveDMA()
        try device.disable(.msi)
    }

    private func proveDMA() throws {
        var source = try device.addressSpace.map(.anonymous(count: 4096), at: 0x10_0000, access: .read)
        let destination = try device.addressSpace.map(.anonymous(count: 4096), at: 0x20_0000, access: .write)
        source.withMutableBytes { bytes in
            for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index &* 37 &+ index >> 8) }
        }
        try copy(from: source.iova, to: Self.deviceMemory, DMACommand.toDevice)
        try copy(from: Self.deviceMemory, to: destination.iova, DMACommand.fromDevice)
        let differing = source.memory.withBytes { sent in
            destination.memory.withBytes { received in sent.indices.count { sent[$0] != received[$0] } }
        }
        try expect("DMA of 4096 bytes to the device and back: not one differs", differing, is: 0)
    }

    private func copy(from source: UInt64, to destination: UInt64, _ command: UInt64) throws {
        try registers.write(source, to: Registers.dmaSource)
        try registers.write(destination, to: Registers.dmaDestination)
        try registers.write(4096, to: Registers.dmaCount)
        try registers.write(command | DMACommand.interruptWhenDone, to: Registers.dmaCommand)
        _ = try waitForInterrupt()
    }

    /// Waits for an MSI, and returns why the device sent it.
    private func waitForInterrupt() throws -> UInt32 {
        guard try interrupt.wait(atMost: .seconds(10)) != nil else {
            throw Disproof(description: "no interrupt came within 10 seconds")
        }
        let reasons = try registers.read(Registers.interruptStatus)
        try registers.write(reasons, to: Registers.acknowledgeInterrupt)
        return reasons
    }
}

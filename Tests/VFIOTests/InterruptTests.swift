internal import LinuxIO
internal import SystemPackage
internal import Testing

@testable internal import VFIO

@Suite("Interrupts")
struct InterruptTests {
    /// The fields of `struct vfio_irq_set`, and the eventfds behind them.
    private func fields(_ argument: [UInt8]) -> [UInt32] {
        stride(from: 0, to: argument.count, by: 4).map { argument.load(at: $0) }
    }

    @Test("are described by kind, with their abilities and the number of vectors")
    func description() throws {
        let device = try ScriptedKernel().open(.iommufd)
        let interrupts = try device.interrupts()
        #expect(interrupts.map(\.index) == [.intx, .msix])
        #expect(interrupts[0].flags.names == ["eventfd", "maskable", "automasked"])
        #expect(interrupts[1].flags.names == ["eventfd", "noresize"] && interrupts[1].count == 4)
        #expect(try refusal { try device.interrupt(.msi) }.message == "it has no msi interrupt")
        #expect(try refusal { try device.interrupt(.err) }.code == .noSuchInterrupt)
    }

    @Test("are enabled with an eventfd for each vector, and a gap where there is none")
    func enabling() throws {
        let kernel = ScriptedKernel()
        let device = try kernel.open(.group)
        let events = [try EventFD(), try EventFD()]
        try device.enable(.msix, from: 1, signalling: [events[0], nil, events[1]])
        let numbers = events.map { UInt32($0.descriptor.rawValue) }
        // argsz, DATA_EVENTFD | ACTION_TRIGGER, index, start, count.
        #expect(
            fields(try kernel.argument(of: "VFIO_DEVICE_SET_IRQS"))
                == [32, 1 << 2 | 1 << 5, 2, 1, 3, numbers[0], .max, numbers[1]])
    }

    @Test("are disabled as a whole, masked, unmasked and triggered one by one")
    func actions() throws {
        let kernel = ScriptedKernel()
        let device = try kernel.open(.group)
        try device.disable(.msix)
        #expect(fields(try kernel.argument(of: "VFIO_DEVICE_SET_IRQS")) == [20, 1 | 1 << 5, 2, 0, 0])
        try device.mask(.intx)
        #expect(fields(try kernel.argument(of: "VFIO_DEVICE_SET_IRQS")) == [20, 1 | 1 << 3, 0, 0, 1])
        try device.unmask(.intx)
        #expect(fields(try kernel.argument(of: "VFIO_DEVICE_SET_IRQS")) == [20, 1 | 1 << 4, 0, 0, 1])
        try device.trigger(.msix, vector: 3)
        #expect(fields(try kernel.argument(of: "VFIO_DEVICE_SET_IRQS")) == [20, 1 | 1 << 5, 2, 3, 1])
    }

    @Test("that the device does not have, or not as many of, are refused before the kernel is asked")
    func refusals() throws {
        let kernel = ScriptedKernel()
        let device = try kernel.open(.group)
        let events = try (0..<5).map { _ in try EventFD() }
        for (first, count) in [(0, 5), (4, 1), (1, 4), (.max, 1), (0, 0)] as [(UInt32, Int)] {
            let error = try refusal {
                try device.enable(.msix, from: first, signalling: Array(events.prefix(count)))
            }
            #expect(error.code == .noSuchInterrupt)
        }
        #expect(try refusal { try device.enable(.msi, signalling: events[0]) }.code == .noSuchInterrupt)
        #expect(!kernel.requests.contains("VFIO_DEVICE_SET_IRQS"))
    }

    @Test("that the kernel refuses because another kind is enabled say so")
    func another() throws {
        let kernel = ScriptedKernel { $0.refused["VFIO_DEVICE_SET_IRQS"] = .invalidArgument }
        let device = try kernel.open(.iommufd)
        let event = try EventFD()
        let error = try refusal { try device.enable(.msix, signalling: event) }
        #expect(error.description.contains("another kind of interrupt is enabled"))
    }
}

internal import CLinux
public import LinuxIO

extension VFIODevice {
    /// What a kind of interrupt can do, and how many vectors it has: VFIO_DEVICE_GET_IRQ_INFO.
    ///
    /// - Throws: `.noSuchInterrupt` when the device does not have it.
    public borrowing func interrupt(_ index: InterruptIndex) throws(VFIOError) -> InterruptInfo {
        guard let interrupt = try describe(index) else {
            throw VFIOError(.noSuchInterrupt, name, "it has no \(index) interrupt")
        }
        return interrupt
    }

    /// Every kind of interrupt that the device has, by index.
    public borrowing func interrupts() throws(VFIOError) -> [InterruptInfo] {
        var interrupts: [InterruptInfo] = []
        for number in 0..<info.interruptCount {
            if let interrupt = try describe(InterruptIndex(rawValue: number)) { interrupts.append(interrupt) }
        }
        return interrupts
    }

    private borrowing func describe(_ index: InterruptIndex) throws(VFIOError) -> InterruptInfo? {
        guard index.rawValue < info.interruptCount else { return nil }
        var answer = vfio_irq_info()
        answer.argsz = UInt32(MemoryLayout<vfio_irq_info>.size)
        answer.index = index.rawValue
        do {
            try kernel.call(.getInterruptInfo, on: descriptor.rawValue, &answer, for: name)
        } catch {
            // vfio-pci answers so for the error interrupt of a device that is not PCI Express.
            if error.code == .noSuchInterrupt { return nil }
            throw error
        }
        guard answer.count > 0 else { return nil }
        return InterruptInfo(index: index, flags: .init(rawValue: answer.flags), count: answer.count)
    }

    /// Makes each vector, from `first` on, signal its eventfd when it fires, and enables the interrupt with that:
    /// VFIO_DEVICE_SET_IRQS. The kernel keeps the eventfds for as long as they are in use.
    ///
    /// Of INTx, MSI and MSI-X only one can be enabled at a time. INTx masks itself when it fires: `unmask` it once the
    /// device is quiet. MSI and MSI-X need the device to master the bus: `setBusMaster`.
    ///
    /// - Parameters:
    ///   - index: which kind.
    ///   - events: one for each vector; nil leaves a vector without one.
    /// - Throws: `.noSuchInterrupt` when the device does not have as many; `.limitReached`; or what else the kernel
    ///   says.
    public borrowing func enable(
        _ index: InterruptIndex, from first: UInt32 = 0, signalling events: [EventFD?]
    ) throws(VFIOError) {
        let interrupt = try interrupt(index)
        guard interrupt.flags.contains(.eventfd) else {
            throw VFIOError(.unsupported, name, "its \(index) interrupt cannot signal an eventfd")
        }
        guard !events.isEmpty, first < interrupt.count, events.count <= Int(interrupt.count - first) else {
            throw VFIOError(
                .noSuchInterrupt, name,
                "it has \(interrupt.count) \(index) vectors; \(events.count) were asked for, from number \(first) on")
        }
        let descriptors = events.map { UInt32(bitPattern: $0?.descriptor.rawValue ?? -1) }
        try setInterrupts(
            index, first, UInt32(events.count), VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, descriptors)
    }

    /// Makes each vector, from the first on, signal its eventfd.
    public borrowing func enable(_ index: InterruptIndex, signalling event: EventFD) throws(VFIOError) {
        try enable(index, signalling: [event])
    }

    /// Disables an interrupt, all of its vectors: VFIO_DEVICE_SET_IRQS.
    public borrowing func disable(_ index: InterruptIndex) throws(VFIOError) {
        try setInterrupts(index, 0, 0, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER)
    }

    /// Masks a vector: it does not fire until it is unmasked.
    public borrowing func mask(_ index: InterruptIndex, vector: UInt32 = 0) throws(VFIOError) {
        try setInterrupts(index, vector, 1, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK)
    }

    /// Lets a masked vector fire again: INTx needs it each time.
    public borrowing func unmask(_ index: InterruptIndex, vector: UInt32 = 0) throws(VFIOError) {
        try setInterrupts(index, vector, 1, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK)
    }

    /// Has the kernel signal a vector's eventfd as if the device had raised it: a test of the way from the kernel to
    /// the eventfd, and of nothing before it.
    public borrowing func trigger(_ index: InterruptIndex, vector: UInt32 = 0) throws(VFIOError) {
        try setInterrupts(index, vector, 1, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER)
    }

    private borrowing func setInterrupts(
        _ index: InterruptIndex, _ start: UInt32, _ count: UInt32, _ flags: CInt, _ data: [UInt32] = []
    ) throws(VFIOError) {
        let size = MemoryLayout<vfio_irq_set>.size + data.count * MemoryLayout<UInt32>.size
        var bytes = [UInt8](repeating: 0, count: size)
        for (place, field) in ([UInt32(size), UInt32(flags), index.rawValue, start, count] + data).enumerated() {
            bytes.store(field, at: place * MemoryLayout<UInt32>.size)
        }
        try kernel.call(.setInterrupts, on: descriptor.rawValue, bytes: &bytes, for: name)
    }
}

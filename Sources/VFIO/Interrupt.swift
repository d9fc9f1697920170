internal import CLinux

/// Which kind of interrupt of a device: for PCI, vfio-pci's fixed layout (`VFIO_PCI_MSI_IRQ_INDEX` and so on).
public struct InterruptIndex: RawRepresentable, Hashable, Sendable {
    /// The number that the ioctls take.
    public var rawValue: UInt32

    /// Makes an index of its number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The legacy pin. Level-triggered: masked when it fires, until it is unmasked.
    public static let intx = InterruptIndex(rawValue: 0)
    /// Message-signalled.
    public static let msi = InterruptIndex(rawValue: 1)
    /// Message-signalled, with a table in a BAR.
    public static let msix = InterruptIndex(rawValue: 2)
    /// The kernel found an uncorrectable PCI error (AER).
    public static let err = InterruptIndex(rawValue: 3)
    /// The host wants the device back: close it.
    public static let req = InterruptIndex(rawValue: 4)

    private static let names = ["intx", "msi", "msix", "err", "req"]

    /// `intx`, `msi`, `msix`, `err`, `req`, and `irq5` and so on for the rest.
    public var name: String { rawValue < Self.names.count ? Self.names[Int(rawValue)] : "irq\(rawValue)" }
}

extension InterruptIndex: CustomStringConvertible {
    /// The name.
    public var description: String { name }
}

/// What a device's kind of interrupt can do (`VFIO_DEVICE_GET_IRQ_INFO`).
public struct InterruptInfo: Hashable, Sendable {
    /// Its abilities.
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The kernel's bits (`VFIO_IRQ_INFO_*`).
        public let rawValue: UInt32

        /// Makes a set of the kernel's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// It signals an eventfd.
        public static let eventfd = Flags(rawValue: UInt32(VFIO_IRQ_INFO_EVENTFD))
        /// It can be masked and unmasked.
        public static let maskable = Flags(rawValue: UInt32(VFIO_IRQ_INFO_MASKABLE))
        /// It is masked whenever it fires, until it is unmasked.
        public static let automasked = Flags(rawValue: UInt32(VFIO_IRQ_INFO_AUTOMASKED))
        /// Its vectors are enabled as one set: for another number of them it has to be disabled first.
        public static let noresize = Flags(rawValue: UInt32(VFIO_IRQ_INFO_NORESIZE))

        /// `eventfd`, `maskable`, `automasked`, `noresize`.
        public var names: [String] {
            [
                (Flags.eventfd, "eventfd"), (.maskable, "maskable"), (.automasked, "automasked"),
                (.noresize, "noresize"),
            ].filter { contains($0.0) }.map { $0.1 }
        }
    }

    /// Which kind it is.
    public var index: InterruptIndex
    /// Its abilities.
    public var flags: Flags
    /// How many vectors there are; 0 when the device does not have it.
    public var count: UInt32

    /// Makes an interrupt's description of its parts.
    public init(index: InterruptIndex, flags: Flags, count: UInt32) {
        self.index = index
        self.flags = flags
        self.count = count
    }
}

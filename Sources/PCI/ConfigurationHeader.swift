/// The first 64 bytes of a function's configuration space (PCI 3.0, 6.1; `PCI_STD_HEADER_SIZEOF` in linux/pci_regs.h).
public struct ConfigurationHeader: Hashable, Sendable {
    /// The layout of the bytes from 0x10 on (`PCI_HEADER_TYPE`).
    public enum Layout: Hashable, Sendable {
        /// Type 0: a device.
        case normal
        /// Type 1: a PCI-to-PCI bridge, which every PCI Express port is too.
        case bridge
        /// Type 2: a CardBus bridge.
        case cardBus
        /// No layout that the specification has.
        case unknown(UInt8)
    }

    /// The buses of a bridge (`PCI_PRIMARY_BUS`, `PCI_SECONDARY_BUS`, `PCI_SUBORDINATE_BUS`).
    public struct BridgeBuses: Hashable, Sendable {
        /// The bus that the bridge sits on.
        public var primary: UInt8
        /// The bus right behind it.
        public var secondary: UInt8
        /// The highest bus behind it.
        public var subordinate: UInt8
        /// `PCI_BRIDGE_CONTROL`: bit 3 forwards VGA, bit 6 holds the secondary bus in reset.
        public var control: UInt16
    }

    /// Who made the card, and which (`PCI_SUBSYSTEM_VENDOR_ID`, `PCI_SUBSYSTEM_ID`).
    public struct SubsystemIDs: Hashable, Sendable {
        /// The card's vendor.
        public var vendor: UInt16
        /// The card.
        public var device: UInt16
    }

    /// `PCI_VENDOR_ID`.
    public let vendorID: UInt16
    /// `PCI_DEVICE_ID`; in a virtual function 0xffff, as is its vendor: the kernel has them from the physical function.
    public let deviceID: UInt16
    /// `PCI_COMMAND`: bit 0 I/O, bit 1 memory, bit 2 bus master, bit 10 INTx disabled.
    public let command: UInt16
    /// `PCI_STATUS`: bit 4 says that there is a capability list.
    public let status: UInt16
    /// `PCI_REVISION_ID`.
    public let revision: UInt8
    /// Base class, subclass and programming interface.
    public let classID: UInt32
    /// The layout of the rest.
    public let layout: Layout
    /// Whether the slot has further functions (bit 7 of `PCI_HEADER_TYPE`).
    public let isMultifunction: Bool
    /// Subsystem vendor and device; nil for a bridge, whose ids are in a capability.
    public let subsystem: SubsystemIDs?
    /// A bridge's buses; nil for others.
    public let buses: BridgeBuses?
    /// The base address registers as they stand: six of a device, two of a bridge, one of CardBus.
    public let baseAddresses: [UInt32]
    /// `PCI_ROM_ADDRESS`; 0 where the layout has none.
    public let romAddress: UInt32
    /// `PCI_INTERRUPT_LINE`.
    public let interruptLine: UInt8
    /// `PCI_INTERRUPT_PIN`: 0 for none, 1 to 4 for INTA to INTD.
    public let interruptPin: UInt8
    /// Where the capabilities begin; 0 for none.
    public let capabilityPointer: UInt8

    /// The header's size.
    public static let size = 64

    /// Decodes the first 64 bytes; nil when there are fewer.
    init?(_ registers: Registers) {
        guard registers.reaches(Self.size) else { return nil }
        vendorID = registers.word(0x00)
        deviceID = registers.word(0x02)
        command = registers.word(0x04)
        status = registers.word(0x06)
        revision = registers.byte(0x08)
        classID = registers.long(0x08) >> 8
        let type = registers.byte(0x0e)
        isMultifunction = type.bit(7)
        interruptLine = registers.byte(0x3c)
        interruptPin = registers.byte(0x3d)
        let hasCapabilities = status.bit(4)
        switch type & 0x7f {
        case 0:
            layout = .normal
            subsystem = SubsystemIDs(vendor: registers.word(0x2c), device: registers.word(0x2e))
            buses = nil
            baseAddresses = stride(from: 0x10, to: 0x28, by: 4).map(registers.long)
            romAddress = registers.long(0x30)
            capabilityPointer = hasCapabilities ? registers.byte(0x34) & ~3 : 0
        case 1:
            layout = .bridge
            subsystem = nil
            buses = BridgeBuses(
                primary: registers.byte(0x18), secondary: registers.byte(0x19), subordinate: registers.byte(0x1a),
                control: registers.word(0x3e))
            baseAddresses = [registers.long(0x10), registers.long(0x14)]
            romAddress = registers.long(0x38)
            capabilityPointer = hasCapabilities ? registers.byte(0x34) & ~3 : 0
        case 2:
            layout = .cardBus
            subsystem = nil
            buses = BridgeBuses(
                primary: registers.byte(0x18), secondary: registers.byte(0x19), subordinate: registers.byte(0x1a),
                control: registers.word(0x3e))
            baseAddresses = [registers.long(0x10)]
            romAddress = 0
            capabilityPointer = hasCapabilities ? registers.byte(0x14) & ~3 : 0
        case let other:
            layout = .unknown(other)
            subsystem = nil
            buses = nil
            baseAddresses = []
            romAddress = 0
            capabilityPointer = 0
        }
    }
}

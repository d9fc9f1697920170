/// A capability of the vendor's own (`PCI_CAP_ID_VNDR`).
public struct VendorSpecific: Hashable, Sendable {
    /// Its length in bytes, with id and pointer.
    public let length: Int
    /// What it is in a virtio device; nil in every other.
    public let virtio: VirtioStructure?

    init?(_ registers: Registers, isVirtio: Bool) {
        guard registers.reaches(0x03) else { return nil }
        length = Int(registers.byte(0x02))
        virtio = isVirtio ? VirtioStructure(registers, length: length) : nil
    }
}

/// Where one of a virtio device's structures is (Virtio 1.2, 4.1.4; `virtio_pci_cap` in linux/virtio_pci.h).
public struct VirtioStructure: Hashable, Sendable {
    /// Which structure it is (`cfg_type`).
    public enum Kind: Hashable, Sendable {
        case common, notify, isr, device
        /// A window on the others through configuration space.
        case configurationAccess
        /// Memory that is shared with the device.
        case sharedMemory
        /// Another one.
        case other(UInt8)
    }

    /// Which structure.
    public let kind: Kind
    /// The number of the region that it is in.
    public let bar: Int
    /// Where in the region it begins, in bytes.
    public let offset: UInt32
    /// Its length in bytes.
    public let length: UInt32
    /// What a queue's number is multiplied by to find where to notify it; for `notify` alone.
    public let notifyMultiplier: UInt32?

    init?(_ registers: Registers, length capability: Int) {
        guard capability >= 16, registers.reaches(0x10) else { return nil }
        kind =
            switch registers.byte(0x03) {
            case 1: .common
            case 2: .notify
            case 3: .isr
            case 4: .device
            case 5: .configurationAccess
            case 8: .sharedMemory
            case let other: .other(other)
            }
        bar = Int(registers.byte(0x04))
        offset = registers.long(0x08)
        length = registers.long(0x0c)
        notifyMultiplier = kind == .notify && capability >= 20 && registers.reaches(0x14) ? registers.long(0x10) : nil
    }
}

/// An extended capability of the vendor's own (PCI Express 7.9.5; `PCI_EXT_CAP_ID_VNDR`).
public struct VendorSpecificExtended: Hashable, Sendable {
    /// The vendor's number for it (`PCI_VSEC_HDR`).
    public let id: UInt16
    /// Its revision.
    public let revision: Int
    /// Its length in bytes.
    public let length: Int

    init?(_ registers: Registers) {
        guard registers.reaches(0x08) else { return nil }
        let header = registers.long(0x04)
        id = UInt16(truncatingIfNeeded: header)
        revision = header.bits(16...19)
        length = header.bits(20...31)
    }
}

/// A capability that one vendor defined for the devices of many: CXL's, above all (PCI Express 7.9.6;
/// `PCI_EXT_CAP_ID_DVSEC`).
public struct DesignatedVendorSpecific: Hashable, Sendable {
    /// Who defined it (`PCI_DVSEC_HEADER1_VID`); 1e98 is CXL.
    public let vendor: UInt16
    /// That vendor's number for it (`PCI_DVSEC_HEADER2_ID`).
    public let id: UInt16
    /// Its revision.
    public let revision: Int
    /// Its length in bytes.
    public let length: Int

    init?(_ registers: Registers) {
        guard registers.reaches(0x0a) else { return nil }
        let header = registers.long(0x04)
        vendor = UInt16(truncatingIfNeeded: header)
        revision = header.bits(16...19)
        length = header.bits(20...31)
        id = registers.word(0x08)
    }
}

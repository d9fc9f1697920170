/// The serial number that a device carries: an EUI-64 (PCI Express 7.9.3; `PCI_EXT_CAP_ID_DSN`).
public struct DeviceSerialNumber: Hashable, Sendable, CustomStringConvertible {
    /// The 64 bits.
    public let number: UInt64

    init?(_ registers: Registers) {
        guard registers.reaches(0x0c) else { return nil }
        number = registers.quad(0x04)
    }

    /// Eight bytes, the highest first: `24-00-00-00-ff-ff-00-00`.
    public var description: String {
        let digits = hexadecimal(number, width: 16)
        return stride(from: 0, to: 16, by: 2).map { digits.dropFirst($0).prefix(2) }.joined(separator: "-")
    }
}

/// The ids of a bridge's card, which its header has no room for (PCI-to-PCI Bridge 1.2, 3.2.5.13; `PCI_CAP_ID_SSVID`).
public struct BridgeSubsystem: Hashable, Sendable {
    /// Who made it, and which it is.
    public let ids: ConfigurationHeader.SubsystemIDs

    init?(_ registers: Registers) {
        guard registers.reaches(0x08) else { return nil }
        ids = ConfigurationHeader.SubsystemIDs(vendor: registers.word(0x04), device: registers.word(0x06))
    }
}

/// The slots of a bridge in an expansion chassis (`PCI_CAP_ID_SLOTID`).
public struct SlotIdentification: Hashable, Sendable {
    /// How many slots there are behind it (`PCI_SID_ESR_NSLOTS`).
    public let slots: Int
    /// The first bridge of its chassis (`PCI_SID_ESR_FIC`).
    public let isFirstInChassis: Bool
    /// The chassis.
    public let chassis: Int

    init?(_ registers: Registers) {
        guard registers.reaches(0x04) else { return nil }
        slots = registers.byte(0x02).bits(0...4)
        isFirstInChassis = registers.byte(0x02).bit(5)
        chassis = Int(registers.byte(0x03))
    }
}

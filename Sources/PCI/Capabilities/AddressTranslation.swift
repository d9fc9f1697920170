/// Address Translation Services: the device keeps translations of its own (PCI Express 10.5.1; `PCI_ATS_…`).
public struct AddressTranslationService: Hashable, Sendable {
    /// Invalidations that it can take before it must be waited for: 1 to 32 (`PCI_ATS_CAP_QDEP`, where 0 stands for 32).
    public let invalidateQueueDepth: Int
    /// Switched on (`PCI_ATS_CTRL_ENABLE`).
    public let isEnabled: Bool
    /// The smallest piece that it translates, in bytes (`PCI_ATS_CTRL_STU`).
    public let smallestTranslation: Int

    init?(_ registers: Registers) {
        guard registers.reaches(0x08) else { return nil }
        let depth = registers.word(0x04).bits(0...4)
        invalidateQueueDepth = depth == 0 ? 32 : depth
        let control = registers.word(0x06)
        isEnabled = control.bit(15)
        smallestTranslation = 4096 << control.bits(0...4)
    }
}

/// Process Address Space ID: requests say for which process they are (PCI Express 7.8.9; `PCI_PASID_…`).
public struct ProcessAddressSpaceID: Hashable, Sendable {
    /// The widest id that it can send, in bits.
    public let largestWidth: Int
    /// Execute permission supported (`PCI_PASID_CAP_EXEC`).
    public let execute: Bool
    /// Privileged mode supported (`PCI_PASID_CAP_PRIV`).
    public let privileged: Bool
    /// Switched on (`PCI_PASID_CTRL_ENABLE`).
    public let isEnabled: Bool
    /// Execute permission switched on.
    public let executeEnabled: Bool
    /// Privileged mode switched on.
    public let privilegedEnabled: Bool

    init?(_ registers: Registers) {
        guard registers.reaches(0x08) else { return nil }
        let capabilities = registers.word(0x04)
        let control = registers.word(0x06)
        execute = capabilities.bit(1)
        privileged = capabilities.bit(2)
        largestWidth = capabilities.bits(8...12)
        isEnabled = control.bit(0)
        executeEnabled = control.bit(1)
        privilegedEnabled = control.bit(2)
    }
}

/// Page Request Interface: the device asks for pages that are not there (PCI Express 10.5.2; `PCI_PRI_…`).
public struct PageRequestInterface: Hashable, Sendable {
    /// Switched on (`PCI_PRI_CTRL_ENABLE`).
    public let isEnabled: Bool
    /// No requests are outstanding any more (`PCI_PRI_STATUS_STOPPED`).
    public let isStopped: Bool
    /// The requests it could have outstanding (`PCI_PRI_MAX_REQ`).
    public let capacity: UInt32
    /// The requests it may have outstanding (`PCI_PRI_ALLOC_REQ`).
    public let allocation: UInt32

    init?(_ registers: Registers) {
        guard registers.reaches(0x10) else { return nil }
        isEnabled = registers.word(0x04).bit(0)
        isStopped = registers.word(0x06).bit(8)
        capacity = registers.long(0x08)
        allocation = registers.long(0x0c)
    }
}

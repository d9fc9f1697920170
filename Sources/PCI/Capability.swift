/// The number by which a capability is known.
public enum CapabilityID: Hashable, Sendable {
    /// One of the first 256 bytes: `PCI_CAP_ID_…`.
    case standard(UInt8)
    /// One of the extended space: `PCI_EXT_CAP_ID_…`.
    case extended(UInt16)

    /// `PCI_CAP_ID_EXP`.
    public static let pciExpress = CapabilityID.standard(0x10)
    /// `PCI_CAP_ID_PCIX`.
    public static let pciX = CapabilityID.standard(0x07)

    /// The bare number.
    public var number: UInt16 {
        switch self {
        case .standard(let number): UInt16(number)
        case .extended(let number): number
        }
    }

    /// Whether it is of the extended space.
    public var isExtended: Bool {
        switch self {
        case .standard: false
        case .extended: true
        }
    }
}

/// One entry of a list of capabilities: where it lies, what it is, and what its registers say.
public struct Capability: Hashable, Sendable {
    /// Where in configuration space it begins.
    public let offset: Int
    /// What it is.
    public let id: CapabilityID
    /// The version of an extended capability; nil for a standard one, whose version, if any, is among its fields.
    public let version: Int?
    /// Its registers.
    public let content: Content

    /// What the registers of a capability say.
    public enum Content: Hashable, Sendable {
        /// `PCI_CAP_ID_EXP`.
        case pciExpress(PCIExpress)
        /// `PCI_EXT_CAP_ID_ACS`.
        case accessControlServices(AccessControlServices)
        /// Known by its name at most: nothing of it is decoded.
        case undecoded
        /// Its registers lie, in part, beyond what was read.
        case cut
    }

    init(standard id: UInt8, at offset: Int, _ registers: Registers) {
        self.offset = offset
        self.id = .standard(id)
        version = nil
        content =
            switch id {
            case 0x10: PCIExpress(registers).map(Content.pciExpress) ?? .cut
            default: .undecoded
            }
    }

    /// - Parameters:
    ///   - header: the capability's first four bytes.
    ///   - type: what kind of PCI Express function this is: some capabilities have more registers on some.
    init(extended header: UInt32, at offset: Int, _ registers: Registers, on type: PCIExpress.PortType?) {
        self.offset = offset
        let id = UInt16(truncatingIfNeeded: header)
        self.id = .extended(id)
        version = header.bits(16...19)
        content =
            switch id {
            case 0x0d: AccessControlServices(registers).map(Content.accessControlServices) ?? .cut
            default: .undecoded
            }
    }
}

extension ConfigurationSpace {
    /// The PCI Express capability: type, device, link, slot. Nil for a conventional device, or when it was not read.
    public var pciExpress: PCIExpress? {
        for case .pciExpress(let value) in capabilities.lazy.map(\.content) { return value }
        return nil
    }

    /// Access Control Services.
    public var accessControlServices: AccessControlServices? {
        for case .accessControlServices(let value) in extendedCapabilities.lazy.map(\.content) { return value }
        return nil
    }
}

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
        /// `PCI_CAP_ID_PM`.
        case powerManagement(PowerManagement)
        /// `PCI_CAP_ID_SLOTID`.
        case slotIdentification(SlotIdentification)
        /// `PCI_CAP_ID_MSI`.
        case msi(MSI)
        /// `PCI_CAP_ID_HT`.
        case hyperTransport(HyperTransport)
        /// `PCI_CAP_ID_VNDR`.
        case vendorSpecific(VendorSpecific)
        /// `PCI_CAP_ID_SSVID`.
        case bridgeSubsystem(BridgeSubsystem)
        /// `PCI_CAP_ID_EXP`.
        case pciExpress(PCIExpress)
        /// `PCI_CAP_ID_MSIX`.
        case msix(MSIX)
        /// `PCI_CAP_ID_AF`.
        case advancedFeatures(AdvancedFeatures)
        /// `PCI_EXT_CAP_ID_ERR`.
        case advancedErrorReporting(AdvancedErrorReporting)
        /// `PCI_EXT_CAP_ID_DSN`.
        case deviceSerialNumber(DeviceSerialNumber)
        /// `PCI_EXT_CAP_ID_VNDR`.
        case vendorSpecificExtended(VendorSpecificExtended)
        /// `PCI_EXT_CAP_ID_ACS`.
        case accessControlServices(AccessControlServices)
        /// `PCI_EXT_CAP_ID_ARI`.
        case alternativeRoutingID(AlternativeRoutingID)
        /// `PCI_EXT_CAP_ID_ATS`.
        case addressTranslationService(AddressTranslationService)
        /// `PCI_EXT_CAP_ID_SRIOV`.
        case singleRootIOVirtualization(SingleRootIOVirtualization)
        /// `PCI_EXT_CAP_ID_PRI`.
        case pageRequestInterface(PageRequestInterface)
        /// `PCI_EXT_CAP_ID_REBAR`, and that for virtual functions.
        case resizableBARs(ResizableBARs)
        /// `PCI_EXT_CAP_ID_LTR`.
        case latencyToleranceReporting(LatencyToleranceReporting)
        /// `PCI_EXT_CAP_ID_PASID`.
        case processAddressSpaceID(ProcessAddressSpaceID)
        /// `PCI_EXT_CAP_ID_DPC`.
        case downstreamPortContainment(DownstreamPortContainment)
        /// `PCI_EXT_CAP_ID_L1SS`.
        case l1PowerSubstates(L1PowerSubstates)
        /// `PCI_EXT_CAP_ID_PTM`.
        case precisionTimeMeasurement(PrecisionTimeMeasurement)
        /// `PCI_EXT_CAP_ID_DVSEC`.
        case designatedVendorSpecific(DesignatedVendorSpecific)
        /// Known by its name at most: nothing of it is decoded.
        case undecoded
        /// Its registers lie, in part, beyond what was read.
        case cut
    }

    /// What it is called: as `lspci` does. One that has no name there is called by its number.
    public var name: String { id.name }
}

extension Capability {
    /// - Parameter isVirtio: whether the ids are those of a virtio device, whose own capabilities are a standard.
    init(standard id: UInt8, at offset: Int, _ registers: Registers, isVirtio: Bool) {
        self.offset = offset
        self.id = .standard(id)
        version = nil
        let content: Content? =
            switch id {
            case 0x01: PowerManagement(registers).map(Content.powerManagement)
            case 0x04: SlotIdentification(registers).map(Content.slotIdentification)
            case 0x05: MSI(registers).map(Content.msi)
            case 0x08: HyperTransport(registers).map(Content.hyperTransport)
            case 0x09: VendorSpecific(registers, isVirtio: isVirtio).map(Content.vendorSpecific)
            case 0x0d: BridgeSubsystem(registers).map(Content.bridgeSubsystem)
            case 0x10: PCIExpress(registers).map(Content.pciExpress)
            case 0x11: MSIX(registers).map(Content.msix)
            case 0x13: AdvancedFeatures(registers).map(Content.advancedFeatures)
            default: .undecoded
            }
        self.content = content ?? .cut
    }

    /// - Parameter header: the capability's first four bytes.
    init(extended header: UInt32, at offset: Int, _ registers: Registers) {
        self.offset = offset
        let id = UInt16(truncatingIfNeeded: header)
        self.id = .extended(id)
        version = header.bits(16...19)
        let content: Content? =
            switch id {
            case 0x01: AdvancedErrorReporting(registers).map(Content.advancedErrorReporting)
            case 0x03: DeviceSerialNumber(registers).map(Content.deviceSerialNumber)
            case 0x0b: VendorSpecificExtended(registers).map(Content.vendorSpecificExtended)
            case 0x0d: AccessControlServices(registers).map(Content.accessControlServices)
            case 0x0e: AlternativeRoutingID(registers).map(Content.alternativeRoutingID)
            case 0x0f: AddressTranslationService(registers).map(Content.addressTranslationService)
            case 0x10: SingleRootIOVirtualization(registers).map(Content.singleRootIOVirtualization)
            case 0x13: PageRequestInterface(registers).map(Content.pageRequestInterface)
            case 0x15, 0x24: ResizableBARs(registers).map(Content.resizableBARs)
            case 0x18: LatencyToleranceReporting(registers).map(Content.latencyToleranceReporting)
            case 0x1b: ProcessAddressSpaceID(registers).map(Content.processAddressSpaceID)
            case 0x1d: DownstreamPortContainment(registers).map(Content.downstreamPortContainment)
            case 0x1e: L1PowerSubstates(registers).map(Content.l1PowerSubstates)
            case 0x1f: PrecisionTimeMeasurement(registers).map(Content.precisionTimeMeasurement)
            case 0x23: DesignatedVendorSpecific(registers).map(Content.designatedVendorSpecific)
            default: .undecoded
            }
        self.content = content ?? .cut
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

    /// Single Root I/O Virtualization, in a physical function that has it.
    public var singleRootIOVirtualization: SingleRootIOVirtualization? {
        for case .singleRootIOVirtualization(let value) in extendedCapabilities.lazy.map(\.content) { return value }
        return nil
    }

    /// The serial number in the device's own registers.
    public var deviceSerialNumber: DeviceSerialNumber? {
        for case .deviceSerialNumber(let value) in extendedCapabilities.lazy.map(\.content) { return value }
        return nil
    }

    /// Power management.
    public var powerManagement: PowerManagement? {
        for case .powerManagement(let value) in capabilities.lazy.map(\.content) { return value }
        return nil
    }

    /// Whether the function can be reset alone, by either of the capabilities that have it.
    public var hasFunctionLevelReset: Bool {
        capabilities.contains { capability in
            switch capability.content {
            case .pciExpress(let express): express.functionLevelReset
            case .advancedFeatures(let features): features.functionLevelReset
            default: false
            }
        }
    }
}

internal import PCI

/// What the kernel knows of certain models, whatever their registers say: `pci_dev_acs_enabled`, the DMA alias quirks and
/// `quirk_use_pcie_bridge_dma_alias` in drivers/pci/quirks.c, as of Linux 6.12. Kept as data.
enum KnownIsolation {
    // MARK: access controls

    /// Functions that do not reach each other, by their makers' word (`pci_quirk_mf_endpoint_acs`).
    private static let functions: [UInt16: Set<UInt16>] = [
        0x1924: [0x0903, 0x0923, 0x0a03],
        0x8086: [
            0x10c6, 0x10db, 0x10dd, 0x10e1, 0x10f1, 0x10f7, 0x10f8, 0x10f9, 0x10fa, 0x10fb, 0x10fc, 0x1507, 0x1514,
            0x151c, 0x1529, 0x152a, 0x154d, 0x154f, 0x1551, 0x1558, 0x1509, 0x150e, 0x150f, 0x1510, 0x1511, 0x1516,
            0x1527, 0x10c9, 0x10e6, 0x10e7, 0x10e8, 0x150a, 0x150d, 0x1518, 0x1526, 0x10a7, 0x10a9, 0x10d6, 0x1521,
            0x1522, 0x1523, 0x1524, 0x105e, 0x105f, 0x1060, 0x10d9, 0x15b7, 0x15b8,
        ],
        0x19a2: [0x0710], 0x10df: [0x0720], 0x177d: [0xa026, 0xa059, 0xa060],
        0x14e4: [0x16d7, 0x1750, 0x1751, 0x1752, 0x1760, 0x1761, 0x1762, 0x1763], 0x1d17: [0x3038, 0x3104, 0x9083],
    ]

    /// Ports that pass nothing on to their neighbours, though they have no access controls to say so
    /// (`pci_quirk_xgene_acs`, `pci_quirk_qcom_rp_acs`, `pci_quirk_brcm_acs`, `pci_quirk_loongson_acs`,
    /// `pci_quirk_nxp_rp_acs`).
    private static let ports: [UInt16: Set<UInt16>] = [
        0x10e8: [0xe004], 0x1def: [0xe005, 0xe006, 0xe007, 0xe008, 0xe009, 0xe00a, 0xe00b, 0xe00c],
        0x17cb: [0x0400, 0x0401, 0x0115, 0x0111, 0x0120], 0x1dbf: [0x0401], 0x14e4: [0xd714],
        0x0014: [0x3c09, 0x3c19, 0x3c29, 0x7a09, 0x7a19, 0x7a29, 0x7a39, 0x7a49, 0x7a59, 0x7a69],
        0x1957: [
            0x8d81, 0x8da1, 0x8d83, 0x8d80, 0x8da0, 0x8d82, 0x8d90, 0x8db0, 0x8d92, 0x8d91, 0x8db1, 0x8d93, 0x8d89,
            0x8da9, 0x8d8b, 0x8d88, 0x8da8, 0x8d8a, 0x8d98, 0x8db8, 0x8d9a, 0x8d99, 0x8db9, 0x8d9b,
        ],
    ]

    /// Root ports of Intel chipsets whose registers outside PCI keep peers apart (`pci_quirk_intel_pch_acs_ids`); the
    /// kernel sets them at boot.
    private static let chipsetPorts: [ClosedRange<UInt16>] = [
        0x3b42...0x3b51, 0x1c10...0x1c1f, 0x1e10...0x1e1f, 0x8c10...0x8c1f, 0x9c10...0x9c1b, 0x9c90...0x9c9b,
        0x8d10...0x8d1e,
    ]
    /// The same, of chipsets that have every second id.
    private static let otherChipsetPorts: Set<UInt16> = [
        0x1d10, 0x1d12, 0x1d14, 0x1d16, 0x1d18, 0x1d1a, 0x1d1c, 0x1d1e, 0x8c90, 0x8c92, 0x8c94, 0x8c96, 0x8c98, 0x8c9a,
        0x8c9c, 0x8c9e,
    ]

    /// Root ports of Intel chipsets that have the control register two bytes too far (`pci_quirk_intel_spt_pch_acs`).
    private static let displacedPorts: [ClosedRange<UInt16>] = [
        0xa110...0xa11f, 0xa167...0xa16a, 0xa290...0xa29f, 0xa2e7...0xa2ee, 0x9d10...0x9d1b,
    ]

    /// AMD's southbridges, beside an AMD IOMMU (`pci_quirk_amd_sb_acs`).
    private static let southbridges: [UInt16: Set<UInt16>] = [
        0x1002: [0x4385, 0x439c, 0x4383, 0x439d, 0x4384, 0x4399], 0x1022: [0x780f, 0x7809],
    ]

    /// What the kernel takes a model's isolation for; nil where it asks the registers.
    ///
    /// - Parameter hasAMDIOMMU: whether the IOMMU is AMD's.
    static func controls(of function: IsolationFacts, hasAMDIOMMU: Bool) -> AccessControl? {
        let (vendor, device) = (function.ids.vendorID, function.ids.deviceID)
        if functions[vendor]?.contains(device) == true {
            return .isolates(.known("its maker says that its functions do not reach each other"))
        }
        let silentPort = AccessControl.isolates(.known("its maker says that it passes nothing to its neighbours"))
        if ports[vendor]?.contains(device) == true { return silentPort }
        if southbridges[vendor]?.contains(device) == true, hasAMDIOMMU, function.isOnRootBus {
            switch function.isMultifunction {
            case .known(true):
                return .isolates(.known("AMD says that nothing in its southbridge reaches its neighbours"))
            case .known(false): break
            case .unread: return .unread
            }
        }
        if vendor == 0x8088 {
            let isNetworkCard =
                (0x0100...0x010f).contains(device)
                || [0x1001, 0x2001, 0x5010, 0x5025, 0x5040, 0x5110, 0x5125, 0x5140].contains(device)
            return isNetworkCard
                ? .isolates(.known("its maker says that its functions do not reach each other")) : .open(.noControls)
        }
        guard [0x8086, 0x177d, 0x1c36, 0x1d17].contains(vendor) else { return nil }
        guard case .known(let type) = function.type else { return .unread }
        switch (vendor, type) {
        case (0x8086, .rootComplexIntegratedEndpoint):
            return .isolates(.known("Intel's integrated endpoints reach others through the IOMMU alone"))
        case (0x8086, .rootPort):
            return intelRootPort(function)
        case (0x177d, .rootPort) where (0xa000...0xa7ff).contains(device) || device == 0xaf84 || device == 0xb884:
            return silentPort
        case (0x1c36, .rootPort) where device == 0x0031:
            return silentPort
        case (0x1d17, .rootPort), (0x1d17, .downstreamPort):
            let isKnown = (0x0710...0x071e).contains(device) || device == 0x0721 || (0x0723...0x0752).contains(device)
            return isKnown ? silentPort : .open(.noControls)
        default:
            return nil
        }
    }

    private static func intelRootPort(_ function: IsolationFacts) -> AccessControl? {
        let device = function.ids.deviceID
        if chipsetPorts.contains(where: { $0.contains(device) }) || otherChipsetPorts.contains(device) {
            return .isolates(.known("its chipset keeps peers apart in registers of its own"))
        }
        guard displacedPorts.contains(where: { $0.contains(device) }) else { return nil }
        switch function.controls {
        case .unread: return .unread
        case .known(nil): return nil
        case .known(let services?):
            guard let controls = function.displacedControls else { return .unread }
            let missing = AccessControlServices.Controls.isolation.intersection(services.supported).subtracting(
                controls)
            return missing.isEmpty ? .isolates(.controls) : .open(.switchedOff(missing))
        }
    }

    // MARK: requester ids

    /// Devices whose DMA carries the id of function 0 of their slot (`quirk_dma_func0_alias`).
    private static let aliasOfFunction0: [UInt16: Set<UInt16>] = [0x1180: [0xe832, 0xe476], 0x6766: [0x3d40, 0x3d41]]
    /// … of function 1 (`quirk_dma_func1_alias`).
    private static let aliasOfFunction1: [UInt16: Set<UInt16>] = [
        0x1b4b: [
            0x9120, 0x9123, 0x9125, 0x9128, 0x9130, 0x9170, 0x9172, 0x917a, 0x9182, 0x9183, 0x91a0, 0x9215, 0x9220,
            0x9230, 0x9235,
        ], 0x1103: [0x0642, 0x0645], 0x197b: [0x2392], 0x1c28: [0x0122],
    ]

    /// Whether a model's DMA carries other requester ids than its own.
    static func speaksAsOthers(_ function: IsolationFacts) -> Bool {
        let (vendor, device) = (function.ids.vendorID, function.ids.deviceID)
        if aliasOfFunction0[vendor]?.contains(device) == true || aliasOfFunction1[vendor]?.contains(device) == true {
            return true
        }
        return vendor == 0x9005 && device == 0x0285
            || vendor == 0x8086 && [0x2260, 0x2264, 0x2954, 0x2955, 0x2956, 0x2958, 0x2959, 0x295a].contains(device)
    }

    /// Whether a device's DMA carries another one's requester id: both are on one bus.
    static func function(_ one: IsolationFacts, speaksAs other: IsolationFacts) -> Bool {
        let (vendor, device) = (one.ids.vendorID, one.ids.deviceID)
        let slot = other.address.device
        let function = other.address.function
        let isOwnSlot = slot == one.address.device
        if aliasOfFunction0[vendor]?.contains(device) == true { return isOwnSlot && function == 0 }
        if aliasOfFunction1[vendor]?.contains(device) == true { return isOwnSlot && function == 1 }
        switch (vendor, device) {
        case (0x9005, 0x0285):
            // Adaptec 3405 and 3805: a hidden device does the DMA.
            let isOne = one.ids.subsystemVendorID == 0x9005 && [0x02bb, 0x02bc].contains(one.ids.subsystemDeviceID)
            return isOne && slot == 1 && function == 0
        case (0x8086, 0x2260), (0x8086, 0x2264):
            return (slot == 0x10 || slot == 0x11) && function == 0 || slot == 0x12 && function == 3
        case (0x8086, 0x2954...0x2956), (0x8086, 0x2958...0x295a):
            return function < 5
        default:
            return false
        }
    }

    /// PCIe-to-PCI bridges that do not show that they are PCI Express (`quirk_use_pcie_bridge_dma_alias`).
    private static let hiddenBridges: [UInt16: Set<UInt16>] = [
        0x1b21: [0x1080], 0x10e3: [0x8113], 0x1283: [0x8892, 0x8893], 0x8086: [0x244e],
    ]

    /// Whether a conventional bridge is known to be a PCIe-to-PCI bridge.
    static func isHiddenExpressBridge(_ bridge: IsolationFacts) -> Bool {
        !bridge.isOnRootBus && hiddenBridges[bridge.ids.vendorID]?.contains(bridge.ids.deviceID) == true
    }

    /// Bridges above which nothing counts: their IOMMU sits below them (`quirk_bridge_cavm_thrx2_pcie_root`).
    static func isTranslationRoot(_ bridge: IsolationFacts) -> Bool {
        bridge.ids.vendorID == 0x14e4 && [0x9000, 0x9084].contains(bridge.ids.deviceID)
    }
}

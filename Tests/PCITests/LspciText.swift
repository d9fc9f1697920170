internal import PCI

/// What `lspci -vv` says of a capability, made from our fields: if the fields are right, lspci's own text has it in it.
struct LspciText {
    /// Pieces of text that lspci's lines about the capability contain.
    var pieces: [String] = []

    init(_ capability: Capability) {
        switch capability.content {
        case .powerManagement(let value): power(value)
        case .slotIdentification(let value):
            add("Slot ID: \(value.slots) slots, First\(flag(value.isFirstInChassis)), chassis \(hex(value.chassis, 2))")
        case .msi(let value): msi(value)
        case .hyperTransport(let value): hyperTransport(value)
        case .vendorSpecific(let value): vendor(value)
        case .bridgeSubsystem: add("Subsystem:")
        case .pciExpress(let value): express(value)
        case .msix(let value): msix(value)
        case .advancedFeatures(let value):
            add("AFCap: TP\(flag(value.transactionsPendingReported)) FLR\(flag(value.functionLevelReset))")
            add("AFStatus: TP\(flag(value.transactionsPending))")
        case .advancedErrorReporting(let value): errors(value)
        case .deviceSerialNumber(let value): add("Device Serial Number \(value)")
        case .vendorSpecificExtended(let value):
            add("ID=\(hex(value.id, 4)) Rev=\(value.revision) Len=\(hex(value.length, 3))")
        case .accessControlServices(let value):
            add("ACSCap:\t" + controls(value.supported))
            add("ACSCtl:\t" + controls(value.enabled))
        case .alternativeRoutingID(let value):
            add("ARICap:\tMFVC\(flag(value.functionGroupArbitration)) ACS\(flag(value.functionGroupACS)), ")
            add("Next Function: \(value.nextFunction)\n")
            add("Function Group: \(value.functionGroup)\n")
        case .addressTranslationService(let value):
            add("Invalidate Queue Depth: \(hex(value.invalidateQueueDepth & 31, 2))\n")
            let unit = value.smallestTranslation.trailingZeroBitCount - 12
            add("ATSCtl:\tEnable\(flag(value.isEnabled)), Smallest Translation Unit: \(hex(unit, 2))\n")
        case .singleRootIOVirtualization(let value): sriov(value)
        case .pageRequestInterface(let value):
            add("PRICtl: Enable\(flag(value.isEnabled)) ")
            add("Stopped\(flag(value.isStopped))\n")
            add(
                "Page Request Capacity: \(hex(value.capacity, 8)), Page Request Allocation: \(hex(value.allocation, 8))\n"
            )
        case .resizableBARs(let value):
            for region in value.regions {
                add("BAR \(region.bar): current size: \(Self.size(region.size))" + sizes(region))
            }
        case .latencyToleranceReporting(let value):
            add("Max snoop latency: \(value.largestSnoopLatency)ns\n")
            add("Max no snoop latency: \(value.largestNoSnoopLatency)ns\n")
        case .processAddressSpaceID(let value):
            add("PASIDCap: Exec\(flag(value.execute)) Priv\(flag(value.privileged)), ")
            add("Max PASID Width: \(hex(value.largestWidth, 2))\n")
            add("PASIDCtl: Enable\(flag(value.isEnabled)) Exec\(flag(value.executeEnabled)) ")
            add("Priv\(flag(value.privilegedEnabled))\n")
        case .downstreamPortContainment(let value):
            add("DpcCap:\tINT Msg #\(value.interruptMessage), ")
            add("SwTrigger\(flag(value.softwareTrigger)) RP PIO")
            add("DpcCtl:\tTrigger:\(value.trigger) ")
            add("DpcSta:\tTrigger\(flag(value.isTriggered)) ")
        case .l1PowerSubstates(let value):
            add("L1SubCap: " + substates(value.supported))
            add("L1SubCtl1: " + substates(value.enabled))
        case .precisionTimeMeasurement(let value):
            add("Requester:\(flag(value.isRequester)) Responder:\(flag(value.isResponder)) Root:\(flag(value.isRoot))")
            add("Enabled:\(flag(value.isEnabled)) ")
        case .designatedVendorSpecific(let value):
            add("Vendor=\(hex(value.vendor, 4)) ID=\(hex(value.id, 4)) Rev=\(value.revision) Len=\(value.length)")
        case .undecoded, .cut: break
        }
    }

    private mutating func add(_ piece: String) { pieces.append(piece) }

    private func flag(_ value: Bool) -> String { value ? "+" : "-" }

    private func hex(_ value: some FixedWidthInteger, _ width: Int) -> String { hexadecimal(value, width: width) }

    private mutating func power(_ value: PowerManagement) {
        add("Power Management version \(value.version)\n")
        add(" D1\(flag(value.sleepStates.contains(.d1))) D2\(flag(value.sleepStates.contains(.d2))) ")
        let wake = value.wakeStates
        add(
            "PME(D0\(flag(wake.contains(.d0))),D1\(flag(wake.contains(.d1))),D2\(flag(wake.contains(.d2))),"
                + "D3hot\(flag(wake.contains(.d3hot))),D3cold\(flag(wake.contains(.d3cold))))")
        add("Status: D\(value.state) NoSoftRst\(flag(value.keepsSettings)) PME-Enable\(flag(value.wakeEnabled)) ")
        add(" PME\(flag(value.wakePending))\n")
    }

    private mutating func msi(_ value: MSI) {
        add(
            "MSI: Enable\(flag(value.isEnabled)) Count=\(value.count)/\(value.largestCount) "
                + "Maskable\(flag(value.isMaskable)) 64bit\(flag(value.is64Bit))\n")
        add("Address: \(hex(value.address, value.is64Bit ? 16 : 8))  Data: \(hex(value.data, 4))\n")
        if let mask = value.mask, let pending = value.pending {
            add("Masking: \(hex(mask, 8))  Pending: \(hex(pending, 8))\n")
        }
    }

    private mutating func msix(_ value: MSIX) {
        add("MSI-X: Enable\(flag(value.isEnabled)) Count=\(value.count) Masked\(flag(value.isMasked))\n")
        add("Vector table: BAR=\(value.table.bar) offset=\(hex(value.table.offset, 8))\n")
        add("PBA: BAR=\(value.pendingBits.bar) offset=\(hex(value.pendingBits.offset, 8))\n")
    }

    private mutating func hyperTransport(_ value: HyperTransport) {
        let kind =
            switch value.kind {
            case .primaryInterface: "Slave or Primary Interface"
            case .secondaryInterface: "Host or Secondary Interface"
            case .switch: "Switch"
            case .interruptDiscovery: "Interrupt Discovery and Configuration"
            case .revision: "Revision ID:"
            case .unitIDClumping: "UnitID Clumping"
            case .extendedConfiguration: "Extended Configuration Space Access"
            case .addressMapping: "Address Mapping"
            case .msiMapping: "MSI Mapping Enable\(flag(value.isEnabled == true)) Fixed\(flag(value.isFixed == true))"
            case .directRoute: "DirectRoute"
            case .vcSet: "VCSet"
            case .retryMode: "Retry Mode"
            case .x86: "X86 (reserved)"
            case .other(let number): "#\(hex(number, 2))"
            }
        add("HyperTransport: \(kind)")
    }

    private mutating func vendor(_ value: VendorSpecific) {
        guard let virtio = value.virtio else { return add("Len=\(hex(value.length, 2)) ") }
        let kind =
            switch virtio.kind {
            case .common: "CommonCfg"
            case .notify: "Notify"
            case .isr: "ISR"
            case .device: "DeviceCfg"
            default: "<unknown>"
            }
        add("VirtIO: \(kind)\n")
        add("BAR=\(virtio.bar) offset=\(hex(virtio.offset, 8)) size=\(hex(virtio.length, 8))")
        if let multiplier = virtio.notifyMultiplier { add("multiplier=\(hex(multiplier, 8))") }
    }

    private mutating func express(_ value: PCIExpress) {
        let slot = "(Slot\(flag(value.hasSlot)))"
        let type =
            switch value.type {
            case .endpoint: "Endpoint"
            case .legacyEndpoint: "Legacy Endpoint"
            case .rootPort: "Root Port \(slot)"
            case .upstreamPort: "Upstream Port"
            case .downstreamPort: "Downstream Port \(slot)"
            case .toPCIBridge: "PCI-Express to PCI/PCI-X Bridge"
            case .fromPCIBridge: "PCI/PCI-X to PCI-Express Bridge \(slot)"
            case .rootComplexIntegratedEndpoint: "Root Complex Integrated Endpoint"
            case .rootComplexEventCollector: "Root Complex Event Collector"
            case .reserved(let number): "Unknown type \(number)"
            }
        add("Express (v\(value.version)) \(type), MSI \(hex(value.interruptMessage, 2))\n")
        add("DevCap:\tMaxPayload \(value.largestPayload) bytes,")
        add("ExtTag\(flag(value.extendedTags))")
        switch value.type {
        case .endpoint, .legacyEndpoint, .rootComplexIntegratedEndpoint:
            add("FLReset\(flag(value.functionLevelReset))")
        default: break
        }
        add("RlxdOrd\(flag(value.relaxedOrdering)) ")
        add("MaxPayload \(value.payload) bytes, MaxReadReq \(value.readRequest) bytes\n")
        add("TransPend\(flag(value.transactionsPending))\n")
        if let link = value.link { self.link(link) }
        if let slot = value.slot { self.slot(slot) }
        if let second = value.second { self.second(second, value.type) }
    }

    private mutating func link(_ link: PCIExpressLink) {
        let states = ["not supported", "L0s", "L1", "L0s L1"][link.supportedPowerStates.rawValue]
        add(
            "LnkCap:\tPort #\(link.port), Speed \(Self.speed(link.bestSpeed)), Width x\(link.bestWidth), ASPM \(states)"
        )
        add("LLActRep\(flag(link.reportsActivity))")
        add("LnkCtl:\tASPM \(["Disabled", "L0s Enabled", "L1 Enabled", "L0s L1 Enabled"][link.powerStates.rawValue]);")
        add(" Disabled\(flag(link.isDisabled)) ")
        add("LnkSta:\tSpeed \(Self.speed(link.speed))")
        add(", Width x\(link.width)")
        add("Train\(flag(link.isTraining)) ")
        add("DLActive\(flag(link.isActive)) ")
    }

    private mutating func slot(_ slot: PCIExpressSlot) {
        add("SltCap:\tAttnBtn\(flag(slot.attentionButton)) PwrCtrl\(flag(slot.powerController)) ")
        add("HotPlug\(flag(slot.isHotPlugCapable)) Surprise\(flag(slot.surpriseRemoval))\n")
        let limit = slot.powerLimit.map { "\(Self.decimal($0))W" } ?? ">600W"
        add("Slot #\(slot.number), PowerLimit \(limit);")
        add("PresDet\(flag(slot.isOccupied)) Interlock")
    }

    private mutating func second(_ second: PCIExpress.SecondRegisters, _ type: PCIExpress.PortType) {
        add("TimeoutDis\(flag(second.completionTimeoutDisable)) NROPrPrP")
        add("LTR\(flag(second.latencyToleranceReporting))\n")
        add("10BitTagReq\(flag(second.tenBitTags)) OBFF")
        add("LTR\(flag(second.latencyToleranceReportingEnabled)) 10BitTagReq")
        switch type {
        case .rootPort, .downstreamPort:
            add("ARIFwd\(flag(second.ariForwarding))\n")
            add("ARIFwd\(flag(second.ariForwardingEnabled))\n")
            add("Routing\(flag(second.atomicRouting))")
        case .endpoint, .legacyEndpoint, .rootComplexIntegratedEndpoint: add("ReqEn\(flag(second.atomicRequests))")
        default: break
        }
    }

    private mutating func errors(_ value: AdvancedErrorReporting) {
        for (label, set) in [
            ("UESta", value.uncorrectable), ("UEMsk", value.uncorrectableMask), ("UESvrt", value.fatal),
        ] {
            let names = AdvancedErrorReporting.Uncorrectable.all
            add("\(label):\t" + names.map { $0.name + flag(set.contains($0.error)) }.joined(separator: " "))
        }
        for (label, set) in [("CESta", value.correctable), ("CEMsk", value.correctableMask)] {
            let names = AdvancedErrorReporting.Correctable.all
            add("\(label):\t" + names.map { $0.name + flag(set.contains($0.error)) }.joined(separator: " "))
        }
        add("First Error Pointer: \(hex(value.firstError, 2)), ECRCGenCap\(flag(value.checksumGeneration)) ")
        add("ECRCChkCap\(flag(value.checksumChecking)) ")
    }

    private mutating func sriov(_ value: SingleRootIOVirtualization) {
        add("IOVCap:\tMigration\(flag(value.migration)) ")
        add("Interrupt Message Number: \(hex(value.interruptMessage, 3))\n")
        add("IOVCtl:\tEnable\(flag(value.isEnabled)) ")
        add("MSE\(flag(value.memoryEnabled)) ARIHierarchy\(flag(value.ariHierarchy)) ")
        add("Initial VFs: \(value.initialVFs), Total VFs: \(value.totalVFs), Number of VFs: \(value.numVFs), ")
        add("Function Dependency Link: \(hex(value.dependencyLink, 2))\n")
        add("VF offset: \(value.firstVFOffset), stride: \(value.vfStride), Device ID: \(hex(value.vfDeviceID, 4))\n")
        let sizes = value.supportedPageSizes.reduce(0) { $0 | $1 >> 12 }
        add("Supported Page Size: \(hex(sizes, 8)), System Page Size: \(hex(value.systemPageSize >> 12, 8))\n")
        for region in value.vfRegions {
            let address = hex(region.address, region.width == 64 ? 16 : 8)
            let prefetchable = region.isPrefetchable ? "prefetchable" : "non-prefetchable"
            add("Region \(region.index): Memory at \(address) (\(region.width)-bit, \(prefetchable))\n")
        }
    }

    private func controls(_ set: AccessControlServices.Controls) -> String {
        "SrcValid\(flag(set.contains(.sourceValidation))) TransBlk\(flag(set.contains(.translationBlocking))) "
            + "ReqRedir\(flag(set.contains(.requestRedirect))) CmpltRedir\(flag(set.contains(.completionRedirect))) "
            + "UpstreamFwd\(flag(set.contains(.upstreamForwarding))) EgressCtrl\(flag(set.contains(.egressControl))) "
            + "DirectTrans\(flag(set.contains(.directTranslated)))\n"
    }

    private func substates(_ set: L1PowerSubstates.Substates) -> String {
        "PCI-PM_L1.2\(flag(set.contains(.powerManagementL12))) PCI-PM_L1.1\(flag(set.contains(.powerManagementL11))) "
            + "ASPM_L1.2\(flag(set.contains(.aspmL12))) ASPM_L1.1\(flag(set.contains(.aspmL11)))"
    }

    private func sizes(_ region: ResizableBARs.Region) -> String {
        region.supportedSizes.isEmpty
            ? "\n" : ", supported: " + region.supportedSizes.map(Self.size).joined(separator: " ") + "\n"
    }

    private static func size(_ bytes: UInt64?) -> String {
        guard let bytes else { return "<unknown>" }
        let power = bytes.trailingZeroBitCount - 20
        return "\(1 << (power % 10))\(["MB", "GB", "TB", "PB", "EB"][power / 10])"
    }

    private static func speed(_ speed: LinkSpeed) -> String { speed.description.filter { $0 != " " } }

    /// Milliwatts as `printf("%g")` writes watts.
    private static func decimal(_ milliwatts: Int) -> String {
        guard milliwatts % 1000 != 0 else { return "\(milliwatts / 1000)" }
        var fraction = String(milliwatts % 1000 + 1000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return "\(milliwatts / 1000).\(fraction)"
    }
}

internal import PCI
internal import Testing

/// The fields of every capability that is decoded, from a few bytes each. lspci judges the same bytes elsewhere; here
/// they are held against the specification's tables.
@Suite("Capabilities")
struct CapabilityTests {
    private func content(_ device: ConfigurationBuilder, _ index: Int = 0) -> Capability.Content {
        let extended = device.space.extendedCapabilities
        return extended.isEmpty ? device.space.capabilities[index].content : extended[index].content
    }

    @Test("power management: states, wake, and whether D3 loses the settings")
    func power() throws {
        guard case .powerManagement(let power) = content(SampleCapabilities.power) else { throw Mismatch() }
        #expect(power.version == 3 && power.state == 3)
        #expect(power.sleepStates == .d1 && power.wakeStates == [.d0, .d3hot])
        #expect(!power.keepsSettings && power.wakeEnabled && power.wakePending)
    }

    @Test("MSI: vectors given and possible, masks, 32 and 64 bits")
    func msi() throws {
        guard case .msi(let wide) = content(SampleCapabilities.msi),
            case .msi(let narrow) = content(SampleCapabilities.msi32)
        else { throw Mismatch() }
        #expect(wide.isEnabled && wide.count == 4 && wide.largestCount == 32 && wide.is64Bit && wide.isMaskable)
        #expect(wide.address == 0x1_fee0_0304 && wide.data == 0x4041 && wide.mask == 5 && wide.pending == 2)
        #expect(!narrow.isEnabled && narrow.count == 1 && !narrow.is64Bit && narrow.mask == nil)
        #expect(narrow.address == 0xfee0_0000 && narrow.data == 0x22)
    }

    @Test("MSI-X: where the table and the pending bits are")
    func msix() throws {
        guard case .msix(let msix) = content(SampleCapabilities.msix) else { throw Mismatch() }
        #expect(msix.isEnabled && !msix.isMasked && msix.count == 10)
        #expect(msix.table.bar == 3 && msix.table.offset == 0)
        #expect(msix.pendingBits.bar == 3 && msix.pendingBits.offset == 0x2000)
    }

    @Test("PCI Express: an endpoint, its link now and at best, Function Level Reset")
    func endpoint() throws {
        let express = try #require(SampleCapabilities.endpoint.space.pciExpress)
        #expect(express.type == .endpoint && express.version == 2 && express.interruptMessage == 2)
        #expect(express.functionLevelReset && SampleCapabilities.endpoint.space.hasFunctionLevelReset)
        #expect(express.largestPayload == 512 && express.payload == 256 && express.readRequest == 4096)
        #expect(express.extendedTags && express.relaxedOrdering && express.transactionsPending)
        let link = try #require(express.link)
        #expect(link.bestSpeed.description == "16 GT/s" && link.bestWidth == 8)
        #expect(link.speed.description == "8 GT/s" && link.width == 4 && link.speed < link.bestSpeed)
        #expect(link.port == 5 && link.supportedPowerStates == [.l0s, .l1] && link.powerStates == .l1)
        #expect(link.targetSpeed?.rawValue == 4 && express.slot == nil)
        #expect(express.second?.latencyToleranceReporting == true && express.second?.atomicRequests == true)
        #expect(express.second?.ariForwarding == false)
    }

    @Test("PCI Express: a root port, its slot, ARI forwarding")
    func rootPort() throws {
        let space = SampleCapabilities.rootPort.space
        let express = try #require(space.pciExpress)
        #expect(express.type == .rootPort && express.type.isDownstreamFacing && !express.functionLevelReset)
        let slot = try #require(express.slot)
        #expect(slot.number == 12 && slot.powerLimit == 75_000 && slot.isOccupied && slot.isHotPlugCapable)
        #expect(slot.surpriseRemoval && slot.attentionButton && slot.powerController)
        #expect(express.second?.ariForwarding == true && express.second?.ariForwardingEnabled == true)
        #expect(express.link?.isActive == true && express.link?.reportsActivity == true)
        #expect(express.link?.isDisabled == true && express.link?.speed.description == "8 GT/s")
        #expect(space.header?.layout == .bridge)
        #expect(space.header?.buses?.secondary == 3 && space.header?.buses?.subordinate == 5)
    }

    @Test("PCI Express: inside the root complex there is no link")
    func integrated() throws {
        let express = try #require(SampleCapabilities.integrated.space.pciExpress)
        #expect(express.type == .rootComplexIntegratedEndpoint && express.link == nil && express.functionLevelReset)
    }

    @Test("a slot's power limit, in its four units, and the codes above 250 W")
    func slotPower() throws {
        func limit(_ value: UInt32, scale: UInt32) -> Int? {
            var device = SampleCapabilities.rootPort
            let register = value << 7 | scale << 15
            device.set(0x54, (0..<4).map { UInt8(truncatingIfNeeded: register >> ($0 * 8)) })
            return device.space.pciExpress?.slot?.powerLimit
        }
        #expect((0..<4).map { limit(75, scale: $0) } == [75_000, 7_500, 750, 75])
        #expect(limit(0xef, scale: 0) == 239_000 && limit(0xf0, scale: 0) == 250_000)
        #expect(limit(0xfe, scale: 0) == 600_000 && limit(0xff, scale: 0) == nil && limit(0xff, scale: 1) == 25_500)
    }

    @Test("Access Control Services: what there is, and what is on")
    func accessControl() throws {
        let acs = try #require(SampleCapabilities.accessControl.space.accessControlServices)
        #expect(acs.enabled == .isolation)
        #expect(acs.supported == [.isolation, .translationBlocking, .directTranslated])
        #expect(!acs.supported.contains(.egressControl))
    }

    @Test("ARI, ATS, PASID, PRI")
    func translation() throws {
        guard case .alternativeRoutingID(let ari) = content(SampleCapabilities.routingID),
            case .addressTranslationService(let ats) = content(SampleCapabilities.translation, 0),
            case .processAddressSpaceID(let pasid) = content(SampleCapabilities.translation, 1),
            case .pageRequestInterface(let pri) = content(SampleCapabilities.translation, 2),
            case .addressTranslationService(let full) = content(SampleCapabilities.translation, 3)
        else { throw Mismatch() }
        #expect(
            ari.nextFunction == 7 && ari.functionGroup == 3 && ari.functionGroupACS && !ari.functionGroupArbitration)
        #expect(ats.isEnabled && ats.invalidateQueueDepth == 4 && ats.smallestTranslation == 8192)
        #expect(!full.isEnabled && full.invalidateQueueDepth == 32 && full.smallestTranslation == 4096)
        #expect(pasid.isEnabled && pasid.executeEnabled && !pasid.privilegedEnabled && pasid.largestWidth == 20)
        #expect(pri.isEnabled && pri.isStopped && pri.capacity == 64 && pri.allocation == 32)
    }

    @Test("SR-IOV: first VF, stride, pages, regions, and where each VF sits")
    func sriov() throws {
        let sriov = try #require(SampleCapabilities.sriov.space.singleRootIOVirtualization)
        #expect(sriov.isEnabled && sriov.memoryEnabled && sriov.ariHierarchy)
        #expect(sriov.initialVFs == 8 && sriov.totalVFs == 7 && sriov.numVFs == 2 && sriov.dependencyLink == 1)
        #expect(sriov.firstVFOffset == 128 && sriov.vfStride == 2 && sriov.vfDeviceID == 0x10ca)
        #expect(sriov.interruptMessage == 3)
        #expect(sriov.supportedPageSizes == [0x1000, 0x2000, 0x10000, 0x40000, 0x10_0000, 0x40_0000])
        #expect(sriov.systemPageSize == 4096)
        #expect(sriov.vfRegions.map(\.index) == [0, 3] && sriov.vfRegions.map(\.width) == [64, 32])
        #expect(sriov.vfRegions.map(\.address) == [0x1_fe40_0000, 0xfe50_0000])
        #expect(sriov.vfRegions.map(\.isPrefetchable) == [true, false])
        let card = try #require(PCIAddress("0000:01:00.0"))
        #expect(sriov.address(ofVF: 0, of: card)?.description == "0000:01:10.0")
        #expect(sriov.address(ofVF: 6, of: card)?.description == "0000:01:11.4")
        #expect(sriov.address(ofVF: 7, of: card) == nil && sriov.address(ofVF: -1, of: card) == nil)
        let last = try #require(PCIAddress("0000:ff:1f.7"))
        #expect(sriov.address(ofVF: 0, of: last) == nil, "there is no bus after the last")
    }

    @Test("resizable regions: size now, and the sizes there are")
    func resizable() throws {
        guard case .resizableBARs(let bars) = content(SampleCapabilities.resizable),
            case .resizableBARs(let virtual) = content(SampleCapabilities.resizable, 1)
        else { throw Mismatch() }
        #expect(bars.regions.map(\.bar) == [0, 2] && bars.regions.map(\.size) == [256 << 20, 1 << 20])
        #expect(bars.regions[0].supportedSizes == (8...13).map { 1 << ($0 + 20) })
        #expect(bars.regions[1].supportedSizes == [1 << 20])
        #expect(virtual.regions.map(\.bar) == [1])
        // Bit 0 of the upper half stands for 256 TiB: 2^48.
        #expect(virtual.regions[0].supportedSizes == [1 << 20, 2 << 20, 1 << 48])
        var none = SampleCapabilities.resizable
        none.bytes[0x108] = 0x00
        guard case .resizableBARs(let empty) = content(none) else { throw Mismatch() }
        #expect(empty.regions.isEmpty, "a count of none is a device's mistake, and no region")
    }

    @Test("errors, containment, latency, substates, time")
    func links() throws {
        guard case .advancedErrorReporting(let errors) = content(SampleCapabilities.errors),
            case .downstreamPortContainment(let containment) = content(SampleCapabilities.containment),
            case .latencyToleranceReporting(let latency) = content(SampleCapabilities.latency),
            case .l1PowerSubstates(let substates) = content(SampleCapabilities.substates),
            case .precisionTimeMeasurement(let time) = content(SampleCapabilities.time)
        else { throw Mismatch() }
        #expect(errors.uncorrectable.rawValue == 1 << 20 && errors.correctable.rawValue == 0x2001)
        #expect(errors.firstError == 20 && errors.checksumGeneration && errors.checksumChecking)
        #expect(containment.trigger == 2 && containment.isTriggered && containment.softwareTrigger)
        #expect(containment.interruptMessage == 5)
        #expect(latency.largestSnoopLatency == 3 * 1 << 20 && latency.largestNoSnoopLatency == 70 * 1024)
        #expect(substates.supported == [.powerManagementL11, .aspmL12, .aspmL11])
        #expect(substates.enabled == [.powerManagementL11, .aspmL11])
        #expect(time.isRequester && !time.isResponder && time.isRoot && time.isEnabled)
    }

    @Test("who made it: serial number, a bridge's ids, slots, HyperTransport")
    func identification() throws {
        guard case .bridgeSubsystem(let bridge) = content(SampleCapabilities.subsystem),
            case .slotIdentification(let slot) = content(SampleCapabilities.slotID),
            case .hyperTransport(let mapping) = content(SampleCapabilities.hyperTransport),
            case .advancedFeatures(let features) = content(SampleCapabilities.advancedFeatures)
        else { throw Mismatch() }
        #expect(SampleCapabilities.serialNumber.space.deviceSerialNumber?.description == "11-22-33-44-55-66-77-88")
        #expect(bridge.ids.vendor == 0x1028 && bridge.ids.device == 0x1234)
        #expect(slot.slots == 5 && slot.isFirstInChassis && slot.chassis == 7)
        #expect(mapping.kind == .msiMapping && mapping.isEnabled == true && mapping.isFixed == true)
        #expect(features.functionLevelReset && features.transactionsPendingReported && features.transactionsPending)
        #expect(SampleCapabilities.advancedFeatures.space.hasFunctionLevelReset)
    }

    @Test("what is a vendor's own, and what virtio made of it")
    func vendors() throws {
        guard case .vendorSpecific(let own) = content(SampleCapabilities.vendor),
            case .vendorSpecificExtended(let extended) = content(SampleCapabilities.vendors),
            case .designatedVendorSpecific(let designated) = content(SampleCapabilities.vendors, 1)
        else { throw Mismatch() }
        #expect(own.length == 12 && own.virtio == nil)
        #expect(extended.id == 2 && extended.revision == 1 && extended.length == 12)
        #expect(designated.vendor == 0x8086 && designated.id == 7)
        #expect(designated.revision == 2 && designated.length == 18)
        let structures = SampleCapabilities.virtio.space.capabilities.compactMap { capability in
            if case .vendorSpecific(let vendor) = capability.content { vendor.virtio } else { nil }
        }
        #expect(structures.map(\.kind) == [.common, .notify, .isr, .device, .configurationAccess, .sharedMemory])
        #expect(structures.map(\.notifyMultiplier) == [nil, 4, nil, nil, nil, nil])
        #expect(structures[1].bar == 4 && structures[1].offset == 0x1000 && structures[1].length == 0x1000)
    }

    @Test("names are lspci's, and a number where there is none")
    func names() {
        #expect(
            SampleCapabilities.unknown.space.allCapabilities.map(\.name) == [
                "Capability ID 0x55", "Express", "Virtual Channel", "Extended Capability ID 0x1234",
                "Integrity & Data Encryption",
            ])
        #expect(CapabilityID.standard(0x03).name == "Vital Product Data")
    }

    @Test("base address registers: memory of 32 and 64 bits, I/O, and what is not there")
    func regions() throws {
        var device = ConfigurationBuilder(size: 64)
        device.set(0x10, [0x04, 0x00, 0x40, 0xfe, 0x02, 0, 0, 0, 0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0x08, 0, 0x50, 0xfe])
        device.set(0x24, [0x0c, 0, 0x60, 0xfe])
        let regions = try #require(device.space.header).regions
        #expect(regions.map(\.index) == [0, 2, 4, 5])
        #expect(regions.map(\.kind) == [.memory, .io, .memory, .memory])
        #expect(
            regions.map(\.width) == [64, 32, 32, 64], "the last register cannot have an upper half: it is taken as 0")
        #expect(regions.map(\.address) == [0x2_fe40_0000, 0xc000, 0xfe50_0000, 0xfe60_0000])
        #expect(regions.map(\.isPrefetchable) == [false, false, true, true])
    }

    @Test("every capability, cut off at any length, is cut or has its fields: none traps")
    func everyLength() {
        for device in SampleCapabilities.all {
            let whole = device.space
            // Steps of 3 end at every place within a register, and past the last of them.
            for length in stride(from: 0, to: min(device.bytes.count, 0x170), by: 3) {
                let space = ConfigurationSpace(bytes: device.bytes.prefix(length))
                #expect(space.allCapabilities.count <= whole.allCapabilities.count)
            }
        }
    }
}

private struct Mismatch: Error {}

internal import PCI

/// What a capability says, in a line for people: the few facts that decide how a device can be given away.
enum CapabilitySummary {
    static func text(of capability: Capability) -> String {
        switch capability.content {
        case .powerManagement(let value):
            join(
                "D\(value.state) now", value.keepsSettings ? "keeps its settings in D3" : "D3 resets it",
                value.wakeStates.isEmpty ? nil : "wakes from " + value.wakeStates.names.joined(separator: " "))
        case .slotIdentification(let value): "\(value.slots) slots, chassis \(value.chassis)"
        case .msi(let value):
            join(
                onOff(value.isEnabled), "\(value.count) of \(value.largestCount) vectors",
                value.is64Bit ? "64-bit" : "32-bit", value.isMaskable ? "maskable" : nil)
        case .msix(let value):
            join(
                onOff(value.isEnabled), value.isMasked ? "masked" : nil, "\(value.count) vectors",
                "table in BAR \(value.table.bar) at \(offset(value.table.offset))",
                "pending bits in BAR \(value.pendingBits.bar) at \(offset(value.pendingBits.offset))")
        case .hyperTransport(let value): join(value.kind.name, value.isEnabled.map(onOff))
        case .vendorSpecific(let value):
            value.virtio.map {
                "virtio \($0.kind.name), BAR \($0.bar) at \(offset($0.offset)), \(ByteSize.text(UInt64($0.length)))"
            } ?? "\(value.length) bytes"
        case .bridgeSubsystem(let value):
            hexadecimal(value.ids.vendor, width: 4) + ":" + hexadecimal(value.ids.device, width: 4)
        case .pciExpress(let value): express(value)
        case .advancedFeatures(let value): value.functionLevelReset ? "Function Level Reset" : "no reset of its own"
        case .advancedErrorReporting(let value):
            join(
                value.uncorrectable.names.isEmpty
                    ? nil : "uncorrectable: " + value.uncorrectable.names.joined(separator: " "),
                value.correctable.names.isEmpty
                    ? nil : "correctable: " + value.correctable.names.joined(separator: " "),
                value.uncorrectable.names.isEmpty && value.correctable.names.isEmpty ? "no errors" : nil)
        case .deviceSerialNumber(let value): value.description
        case .vendorSpecificExtended(let value):
            "\(hexadecimal(value.id, width: 4)) revision \(value.revision), \(value.length) bytes"
        case .designatedVendorSpecific(let value):
            "\(value.vendor == 0x1e98 ? "CXL" : hexadecimal(value.vendor, width: 4)) \(hexadecimal(value.id, width: 4))"
                + " revision \(value.revision), \(value.length) bytes"
        case .accessControlServices(let value):
            join(
                value.enabled.isEmpty ? "nothing on" : "on: " + value.enabled.names.joined(separator: " "),
                value.supported.subtracting(value.enabled).isEmpty
                    ? nil : "off: " + value.supported.subtracting(value.enabled).names.joined(separator: " "))
        case .alternativeRoutingID(let value): "next function \(value.nextFunction)"
        case .addressTranslationService(let value):
            join(onOff(value.isEnabled), "\(value.invalidateQueueDepth) invalidations queued")
        case .singleRootIOVirtualization(let value): sriov(value)
        case .pageRequestInterface(let value):
            join(onOff(value.isEnabled), "\(value.allocation) of \(value.capacity) requests")
        case .resizableBARs(let value):
            value.regions.map { region in
                "BAR \(region.bar) \(region.size.map(ByteSize.text) ?? "of unknown size")"
                    + (region.supportedSizes.count < 2
                        ? "" : " of " + region.supportedSizes.map(ByteSize.text).joined(separator: " "))
            }.joined(separator: "; ")
        case .latencyToleranceReporting(let value):
            "at most \(value.largestSnoopLatency) ns, \(value.largestNoSnoopLatency) ns without snooping"
        case .processAddressSpaceID(let value): join(onOff(value.isEnabled), "\(value.largestWidth) bits")
        case .downstreamPortContainment(let value):
            join(value.trigger == 0 ? "off" : "on", value.isTriggered ? "triggered: the link is shut" : nil)
        case .l1PowerSubstates(let value):
            value.enabled.names.isEmpty ? "off" : "on: " + value.enabled.names.joined(separator: ", ")
        case .precisionTimeMeasurement(let value): onOff(value.isEnabled)
        case .undecoded: ""
        case .cut: "cut off"
        }
    }

    private static func express(_ value: PCIExpress) -> String {
        var link: String?
        if let now = value.link {
            let isDown = now.width == 0 || (now.reportsActivity && !now.isActive)
            link =
                (isDown ? "link down" : "\(now.speed) x\(now.width)") + ", at best \(now.bestSpeed) x\(now.bestWidth)"
        }
        let slot = value.slot.map { slot in
            "slot \(slot.number) " + (slot.isOccupied ? "occupied" : "empty")
                + (slot.isHotPlugCapable ? ", hot-plug" : "")
        }
        return join(
            value.type.name, value.functionLevelReset ? "Function Level Reset" : nil, link, slot,
            value.second?.ariForwardingEnabled == true ? "ARI forwarding on" : nil,
            "payload \(value.payload) of \(value.largestPayload) bytes")
    }

    private static func sriov(_ value: SingleRootIOVirtualization) -> String {
        join(
            "\(value.isEnabled ? value.numVFs : 0) of \(value.totalVFs) functions",
            "first at +\(value.firstVFOffset), every \(value.vfStride)",
            "device id \(hexadecimal(value.vfDeviceID, width: 4))",
            "pages " + value.supportedPageSizes.map(ByteSize.text).joined(separator: " "),
            value.ariHierarchy ? "ARI" : nil)
    }

    private static func onOff(_ value: Bool) -> String { value ? "on" : "off" }

    private static func offset(_ value: UInt32) -> String { "0x" + hexadecimal(value, width: 1) }

    private static func join(_ parts: String?...) -> String { parts.compactMap(\.self).joined(separator: ", ") }
}

/// A number of bytes for people: `128 KiB`, `4 MiB`, `10000 bytes` where no unit fits.
enum ByteSize {
    static func text(_ bytes: UInt64) -> String {
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        let power = bytes == 0 ? 0 : min(bytes.trailingZeroBitCount / 10, units.count - 1)
        let count = bytes >> UInt64(10 * power)
        return count == 1 && power == 0 ? "1 byte" : "\(count) \(units[power])"
    }
}

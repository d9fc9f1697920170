// The fields of each capability in JSON: names of the contract for the library's typed values.

internal import PCI

extension PowerManagement {
    var fields: [String: FieldValue] {
        [
            "version": .number(version), "state": .text("D\(state)"), "sleep_states": .texts(sleepStates.names),
            "wake_states": .texts(wakeStates.names), "keeps_settings": .flag(keepsSettings),
            "wake_enabled": .flag(wakeEnabled), "wake_pending": .flag(wakePending),
        ]
    }
}

extension PowerManagement.States {
    /// `D0` to `D3cold`.
    var names: [String] {
        [(Self.d0, "D0"), (.d1, "D1"), (.d2, "D2"), (.d3hot, "D3hot"), (.d3cold, "D3cold")]
            .filter { contains($0.0) }.map(\.1)
    }
}

extension SlotIdentification {
    var fields: [String: FieldValue] {
        ["slots": .number(slots), "first_in_chassis": .flag(isFirstInChassis), "chassis": .number(chassis)]
    }
}

extension MSI {
    var fields: [String: FieldValue] {
        [
            "enabled": .flag(isEnabled), "count": .number(count), "largest_count": .number(largestCount),
            "maskable": .flag(isMaskable), "64bit": .flag(is64Bit), "address": .address(address),
            "data": .address(data), "mask": mask.map(FieldValue.address) ?? .null,
            "pending": pending.map(FieldValue.address) ?? .null,
        ]
    }
}

extension MSIX {
    var fields: [String: FieldValue] {
        [
            "enabled": .flag(isEnabled), "masked": .flag(isMasked), "count": .number(count), "table": table.field,
            "pending_bits": pendingBits.field,
        ]
    }
}

extension MSIX.Location {
    fileprivate var field: FieldValue { .object(["bar": .number(bar), "offset": .address(offset)]) }
}

extension HyperTransport {
    var fields: [String: FieldValue] {
        [
            "kind": .text(kind.name), "enabled": isEnabled.map(FieldValue.flag) ?? .null,
            "fixed": isFixed.map(FieldValue.flag) ?? .null,
        ]
    }
}

extension HyperTransport.Kind {
    var name: String {
        switch self {
        case .primaryInterface: "primary interface"
        case .secondaryInterface: "secondary interface"
        case .switch: "switch"
        case .interruptDiscovery: "interrupt discovery"
        case .revision: "revision"
        case .unitIDClumping: "unit id clumping"
        case .extendedConfiguration: "extended configuration"
        case .addressMapping: "address mapping"
        case .msiMapping: "MSI mapping"
        case .directRoute: "direct route"
        case .vcSet: "VC set"
        case .retryMode: "retry mode"
        case .x86: "x86"
        case .other(let number): "0x" + hexadecimal(number, width: 2)
        }
    }
}

extension VendorSpecific {
    var fields: [String: FieldValue] { ["length": .number(length), "virtio": virtio?.field ?? .null] }
}

extension VirtioStructure {
    fileprivate var field: FieldValue {
        .object([
            "kind": .text(kind.name), "bar": .number(bar), "offset": .address(offset), "length": .size(UInt64(length)),
            "notify_multiplier": notifyMultiplier.map { .number(Int($0)) } ?? .null,
        ])
    }
}

extension VirtioStructure.Kind {
    var name: String {
        switch self {
        case .common: "common"
        case .notify: "notify"
        case .isr: "isr"
        case .device: "device"
        case .configurationAccess: "configuration access"
        case .sharedMemory: "shared memory"
        case .other(let number): "\(number)"
        }
    }
}

extension BridgeSubsystem {
    var fields: [String: FieldValue] {
        ["subsystem_vendor_id": .id(ids.vendor), "subsystem_device_id": .id(ids.device)]
    }
}

extension AdvancedFeatures {
    var fields: [String: FieldValue] {
        ["function_level_reset": .flag(functionLevelReset), "transactions_pending": .flag(transactionsPending)]
    }
}

extension AdvancedErrorReporting {
    var fields: [String: FieldValue] {
        [
            "uncorrectable": .texts(uncorrectable.names), "uncorrectable_masked": .texts(uncorrectableMask.names),
            "fatal": .texts(fatal.names), "correctable": .texts(correctable.names),
            "correctable_masked": .texts(correctableMask.names), "first_error": .number(firstError),
        ]
    }
}

extension VendorSpecificExtended {
    var fields: [String: FieldValue] {
        ["vendor_capability_id": .id(id), "revision": .number(revision), "length": .number(length)]
    }
}

extension DesignatedVendorSpecific {
    var fields: [String: FieldValue] {
        [
            "vendor_id": .id(vendor), "vendor_capability_id": .id(id), "revision": .number(revision),
            "length": .number(length),
        ]
    }
}

extension AccessControlServices {
    var fields: [String: FieldValue] {
        ["supported": .texts(supported.names), "enabled": .texts(enabled.names)]
    }
}

extension AccessControlServices.Controls {
    /// The controls in the set, by their names in the contract.
    var names: [String] {
        [
            (Self.sourceValidation, "source-validation"), (.translationBlocking, "translation-blocking"),
            (.requestRedirect, "request-redirect"), (.completionRedirect, "completion-redirect"),
            (.upstreamForwarding, "upstream-forwarding"), (.egressControl, "egress-control"),
            (.directTranslated, "direct-translated"),
        ].filter { contains($0.0) }.map(\.1)
    }
}

extension AlternativeRoutingID {
    var fields: [String: FieldValue] {
        ["next_function": .number(nextFunction), "function_group": .number(functionGroup)]
    }
}

extension AddressTranslationService {
    var fields: [String: FieldValue] {
        [
            "enabled": .flag(isEnabled), "invalidate_queue_depth": .number(invalidateQueueDepth),
            "smallest_translation": .number(smallestTranslation),
        ]
    }
}

extension PageRequestInterface {
    var fields: [String: FieldValue] {
        [
            "enabled": .flag(isEnabled), "stopped": .flag(isStopped), "capacity": .number(Int(capacity)),
            "allocation": .number(Int(allocation)),
        ]
    }
}

extension ProcessAddressSpaceID {
    var fields: [String: FieldValue] {
        [
            "enabled": .flag(isEnabled), "largest_width": .number(largestWidth), "execute": .flag(execute),
            "privileged": .flag(privileged), "execute_enabled": .flag(executeEnabled),
            "privileged_enabled": .flag(privilegedEnabled),
        ]
    }
}

extension SingleRootIOVirtualization {
    var fields: [String: FieldValue] {
        [
            "enabled": .flag(isEnabled), "memory_enabled": .flag(memoryEnabled), "ari_hierarchy": .flag(ariHierarchy),
            "initial_vfs": .number(initialVFs), "total_vfs": .number(totalVFs), "num_vfs": .number(numVFs),
            "dependency_link": .number(dependencyLink), "first_vf_offset": .number(firstVFOffset),
            "vf_stride": .number(vfStride), "vf_device_id": .id(vfDeviceID),
            "supported_page_sizes": .list(supportedPageSizes.map(FieldValue.size)),
            "system_page_size": .size(systemPageSize),
            "vf_bars": .list(
                vfRegions.map {
                    .object([
                        "index": .number($0.index), "width": .number($0.width),
                        "prefetchable": .flag($0.isPrefetchable),
                        "address": .address($0.address),
                    ])
                }),
        ]
    }
}

extension ResizableBARs {
    var fields: [String: FieldValue] {
        [
            "bars": .list(
                regions.map {
                    .object([
                        "index": .number($0.bar), "size": $0.size.map(FieldValue.size) ?? .null,
                        "supported_sizes": .list($0.supportedSizes.map(FieldValue.size)),
                    ])
                })
        ]
    }
}

extension LatencyToleranceReporting {
    var fields: [String: FieldValue] {
        ["snoop_latency_ns": .size(largestSnoopLatency), "no_snoop_latency_ns": .size(largestNoSnoopLatency)]
    }
}

extension DownstreamPortContainment {
    var fields: [String: FieldValue] {
        [
            "interrupt_message": .number(interruptMessage), "triggered": .flag(isTriggered),
            "trigger": .text(["off", "fatal", "non-fatal", "reserved"][trigger & 3]),
            "software_trigger": .flag(softwareTrigger),
        ]
    }
}

extension L1PowerSubstates {
    var fields: [String: FieldValue] { ["supported": .texts(supported.names), "enabled": .texts(enabled.names)] }
}

extension L1PowerSubstates.Substates {
    /// The substates in the set.
    var names: [String] {
        [
            (Self.powerManagementL12, "PCI-PM L1.2"), (.powerManagementL11, "PCI-PM L1.1"), (.aspmL12, "ASPM L1.2"),
            (.aspmL11, "ASPM L1.1"),
        ].filter { contains($0.0) }.map(\.1)
    }
}

extension PrecisionTimeMeasurement {
    var fields: [String: FieldValue] {
        [
            "requester": .flag(isRequester), "responder": .flag(isResponder), "root": .flag(isRoot),
            "enabled": .flag(isEnabled),
        ]
    }
}

internal import PCI

extension PCIExpress {
    var fields: [String: FieldValue] {
        [
            "version": .number(version), "type": .text(type.name), "interrupt_message": .number(interruptMessage),
            "function_level_reset": .flag(functionLevelReset), "extended_tags": .flag(extendedTags),
            "relaxed_ordering": .flag(relaxedOrdering), "transactions_pending": .flag(transactionsPending),
            "payload": .number(payload), "largest_payload": .number(largestPayload),
            "read_request": .number(readRequest),
            "link": link?.field ?? .null, "slot": slot?.field ?? .null, "device2": second?.field ?? .null,
        ]
    }
}

extension PCIExpress.PortType {
    /// The name in the contract.
    var name: String {
        switch self {
        case .endpoint: "endpoint"
        case .legacyEndpoint: "legacy endpoint"
        case .rootPort: "root port"
        case .upstreamPort: "upstream port"
        case .downstreamPort: "downstream port"
        case .toPCIBridge: "PCI Express to PCI bridge"
        case .fromPCIBridge: "PCI to PCI Express bridge"
        case .rootComplexIntegratedEndpoint: "root complex integrated endpoint"
        case .rootComplexEventCollector: "root complex event collector"
        case .reserved(let number): "reserved (\(number))"
        }
    }
}

extension PCIExpressLink {
    fileprivate var field: FieldValue {
        .object([
            "speed": .speed(speed), "width": .number(width), "best_speed": .speed(bestSpeed),
            "best_width": .number(bestWidth), "target_speed": .speed(targetSpeed), "port": .number(port),
            "aspm_supported": .texts(supportedPowerStates.names), "aspm": .texts(powerStates.names),
            "active": reportsActivity ? .flag(isActive) : .null, "disabled": .flag(isDisabled),
            "training": .flag(isTraining),
        ])
    }
}

extension PCIExpressLink.PowerStates {
    /// `L0s`, `L1`.
    var names: [String] { [(Self.l0s, "L0s"), (.l1, "L1")].filter { contains($0.0) }.map(\.1) }
}

extension PCIExpressSlot {
    fileprivate var field: FieldValue {
        .object([
            "number": .number(number), "power_limit_mw": powerLimit.map(FieldValue.number) ?? .null,
            "hot_plug": .flag(isHotPlugCapable), "surprise_removal": .flag(surpriseRemoval),
            "attention_button": .flag(attentionButton), "power_controller": .flag(powerController),
            "occupied": .flag(isOccupied),
        ])
    }
}

extension PCIExpress.SecondRegisters {
    fileprivate var field: FieldValue {
        .object([
            "ari_forwarding": .flag(ariForwarding), "ari_forwarding_enabled": .flag(ariForwardingEnabled),
            "ltr": .flag(latencyToleranceReporting), "ltr_enabled": .flag(latencyToleranceReportingEnabled),
            "atomic_routing": .flag(atomicRouting), "atomic_requests": .flag(atomicRequests),
            "ten_bit_tags": .flag(tenBitTags), "completion_timeout_disable": .flag(completionTimeoutDisable),
        ])
    }
}

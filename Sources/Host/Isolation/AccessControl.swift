public import PCI

/// Whether a function lets its peers be reached without the IOMMU: the kernel's `pci_acs_enabled` in drivers/pci/pci.c,
/// asked for `REQ_ACS_FLAGS`, with the reason.
enum AccessControl: Equatable {
    case isolates(Protection)
    case open(IsolationWeakness)
    /// What it depends on was not read.
    case unread

    enum Protection: Equatable {
        /// Its access controls are on.
        case controls
        /// It has no peers inside: a function alone in its slot.
        case notNeeded
        /// The kernel knows the model.
        case known(String)
        /// `pcie_acs_override=` says so.
        case claimed
    }

    init(_ function: IsolationFacts, override: ACSOverride?, hasAMDIOMMU: Bool) {
        if let known = KnownIsolation.controls(of: function, hasAMDIOMMU: hasAMDIOMMU) {
            self = known
            return
        }
        guard case .known(let type) = function.type else {
            self = .unread
            return
        }
        guard let type else {
            self = .open(.conventional)
            return
        }
        if let override, let isClaimed = override.claims(function, type), isClaimed {
            self = .isolates(.claimed)
            return
        }
        switch type {
        case .fromPCIBridge, .toPCIBridge:
            self = .open(.conventionalSide)
        case .rootComplexEventCollector:
            self = .open(.noControls)
        case .rootPort, .downstreamPort:
            self = Self.byControls(function)
        case .endpoint, .legacyEndpoint, .upstreamPort, .rootComplexIntegratedEndpoint:
            switch function.isMultifunction {
            case .known(false): self = .isolates(.notNeeded)
            case .known(true): self = Self.byControls(function)
            case .unread: self = .unread
            }
        case .reserved:
            self = .isolates(.notNeeded)
        }
    }

    /// What is not in the capability register is wired to be on (`pci_acs_flags_enabled`).
    private static func byControls(_ function: IsolationFacts) -> AccessControl {
        switch function.controls {
        case .unread: return .unread
        case .known(nil): return .open(.noControls)
        case .known(let services?):
            let missing = AccessControlServices.Controls.isolation.intersection(services.supported)
                .subtracting(services.enabled)
            return missing.isEmpty ? .isolates(.controls) : .open(.switchedOff(missing))
        }
    }
}

/// What a port or function lacks to keep its peers apart.
public enum IsolationWeakness: Hashable, Sendable, CustomStringConvertible {
    /// It has no ACS capability.
    case noControls
    /// It has these controls, and they are switched off.
    case switchedOff(AccessControlServices.Controls)
    /// It is conventional PCI, where everything on a bus hears everything.
    case conventional
    /// It is a bridge with a conventional bus on one side.
    case conventionalSide

    /// What is said of the function: `has no ACS`.
    public var description: String {
        switch self {
        case .noControls: "has no access controls (ACS)"
        case .switchedOff(let controls): "has ACS, but \(controls.names) switched off"
        case .conventional: "is conventional PCI, which has no access controls (ACS)"
        case .conventionalSide: "is a bridge to conventional PCI, which has no access controls (ACS)"
        }
    }
}

extension AccessControlServices.Controls {
    /// The names that lspci has for them, in the order of their bits: `SrcValid, ReqRedir`.
    var names: String {
        let all: [(Self, String)] = [
            (.sourceValidation, "SrcValid"), (.translationBlocking, "TransBlk"), (.requestRedirect, "ReqRedir"),
            (.completionRedirect, "CmpltRedir"), (.upstreamForwarding, "UpstreamFwd"), (.egressControl, "EgressCtrl"),
            (.directTranslated, "DirectTrans"),
        ]
        return all.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
    }
}

/// The kernel argument `pcie_acs_override=`, of a patch that several distributions carry: it makes the kernel believe in
/// access controls that are not there.
public struct ACSOverride: Hashable, Sendable, Codable {
    /// As it stands in /proc/cmdline: `pcie_acs_override=downstream,multifunction`.
    public var argument: String
    /// Ports are believed to have them.
    public var downstream: Bool
    /// Functions of one device are.
    public var multifunction: Bool
    /// Models that are, vendor and device.
    public var models: [UInt32]

    /// Finds it among a kernel's arguments; nil when it is not there.
    public init?(arguments: [String]) {
        let name = "pcie_acs_override="
        guard let argument = arguments.last(where: { $0.hasPrefix(name) }) else { return nil }
        self.argument = argument
        let words = argument.dropFirst(name.count).split(separator: ",")
        downstream = words.contains("downstream")
        multifunction = words.contains("multifunction")
        models = words.compactMap { word in
            let fields = word.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 3, fields[0] == "id", let vendor = UInt16(fields[1], radix: 16),
                let device = UInt16(fields[2], radix: 16)
            else { return nil }
            return UInt32(vendor) << 16 | UInt32(device)
        }
    }

    /// Whether it speaks for a function; nil when that cannot be told. It leaves those alone that have the capability.
    func claims(_ function: IsolationFacts, _ type: PCIExpress.PortType) -> Bool? {
        guard case .known(let controls) = function.controls else { return nil }
        guard controls == nil else { return false }
        if models.contains(UInt32(function.ids.vendorID) << 16 | UInt32(function.ids.deviceID)) { return true }
        switch type {
        case .rootPort, .downstreamPort: return downstream
        case .endpoint, .legacyEndpoint, .upstreamPort, .rootComplexIntegratedEndpoint:
            return multifunction && function.isMultifunction == .known(true)
        default: return false
        }
    }
}

public import PCI

/// One thing that was looked at to tell whether a host, or a device, is ready for passthrough.
public struct Finding: Hashable, Sendable, Codable {
    /// How it bears on the answer.
    public enum Level: String, Hashable, Sendable, Codable {
        /// As it should be.
        case ok
        /// Worth knowing; nothing is wrong.
        case note
        /// Works, with a drawback.
        case warning
        /// Not ready: what was asked about will not work until this is cured.
        case failure
    }

    /// What was looked at; the words stay as they are, for scripts.
    public enum Subject: String, Hashable, Sendable, Codable, CaseIterable {
        /// The IOMMU is on.
        case iommu
        /// Devices are in IOMMU groups.
        case groups
        /// The driver that gives devices out is loaded, or can be.
        case vfioPCI = "vfio-pci"
        /// iommufd is loaded, or can be.
        case iommufd
        /// VFIO's group and container interface is there.
        case container
        /// Each VFIO device has a node of its own.
        case cdev
        /// Interrupts of devices are remapped, so that none can be forged.
        case interruptRemapping = "interrupt-remapping"
        /// This process may open VFIO's nodes.
        case access
        /// How much memory this process may pin.
        case memlock
        /// What kind of device it is.
        case deviceKind = "device-kind"
        /// It is in an IOMMU group.
        case deviceGroup = "device-group"
        /// Its group can be given to a guest.
        case deviceViability = "device-viable"
        /// Nobody uses it.
        case deviceUse = "device-unused"
        /// The firmware has memory for it that no guest can map.
        case deviceReservedMemory = "device-reserved-memory"
        /// It can be reset.
        case deviceReset = "device-reset"
        /// Its attributes make sense.
        case deviceAttributes = "device-attributes"
    }

    /// What was looked at.
    public var id: Subject
    /// How it bears on the answer.
    public var level: Level
    /// What was seen, and where.
    public var evidence: String
    /// What to do; nil when there is nothing to.
    public var cure: String?
    /// The device it is about; nil for the host.
    public var device: PCIAddress?

    /// Makes a finding.
    public init(_ id: Subject, _ level: Level, _ evidence: String, cure: String? = nil, device: PCIAddress? = nil) {
        self.id = id
        self.level = level
        self.evidence = evidence
        self.cure = cure
        self.device = device
    }
}

/// The answer of a check: ready when no finding is a failure.
public struct Readiness: Hashable, Sendable {
    /// Every finding: those of the host, then those of each device.
    public var findings: [Finding]

    /// Whether nothing stands in the way.
    public var isReady: Bool { !findings.contains { $0.level == .failure } }

    /// Makes an answer of findings.
    public init(findings: [Finding]) { self.findings = findings }
}

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

    /// What was looked at; the words stay as they are, for scripts. Each has an entry in vfioctl(8), FINDINGS.
    public enum Subject: String, Hashable, Sendable, Codable, CaseIterable {
        /// The IOMMU is on.
        case iommu
        /// Devices are in IOMMU groups.
        case groups
        /// Whether host drivers' DMA is translated too, or passes through.
        case translation
        /// Interrupts of devices are remapped, so that none can be forged.
        case interruptRemapping = "interrupt-remapping"
        /// Interrupts of devices reach a running guest without the host.
        case postedInterrupts = "posted-interrupts"
        /// The driver that gives devices out is loaded, or can be.
        case vfioPCI = "vfio-pci"
        /// iommufd is loaded, or can be.
        case iommufd
        /// VFIO's group and container interface is there.
        case container
        /// Each VFIO device has a node of its own.
        case cdev
        /// VFIO gives out no devices without an IOMMU.
        case noiommu
        /// Whether the kernel is locked down against root.
        case lockdown
        /// Whether the firmware starts signed kernels alone.
        case secureBoot = "secure-boot"
        /// KVM is there.
        case kvm
        /// Whether guests can run guests.
        case nested
        /// This process may open VFIO's nodes.
        case access
        /// The nodes' modes, and the udev rule that sets them.
        case nodePermissions = "node-permissions"
        /// How much memory this process may pin.
        case memlock
        /// The same against a guest's memory, with the group backend.
        case memlockGroup = "memlock-group"
        /// The same against a guest's memory, with iommufd.
        case memlockIOMMUFD = "memlock-iommufd"
        /// How many mappings a container may have, against a guest's memory.
        case dmaEntries = "dma-entries"
        /// The host has the memory that the guest will pin.
        case guestMemory = "guest-memory"
        /// Huge pages, node by node.
        case hugePages = "huge-pages"
        /// Who else sets numbers of virtual functions.
        case vfOwner = "vf-owner"
        /// Who else gives devices to drivers.
        case driverOwner = "driver-owner"
        /// Who else places interrupts on CPUs.
        case interruptOwner = "interrupt-owner"

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
        /// The driver that has it, and how willingly it lets go.
        case deviceDriver = "device-driver"
        /// It can be reset.
        case deviceReset = "device-reset"
        /// Whether the firmware shows its messages on it.
        case deviceBootVGA = "device-boot-vga"
        /// The NUMA node that it sits on.
        case deviceNUMA = "device-numa"
        /// The bus numbers behind its bridge hold its virtual functions.
        case deviceVFBuses = "device-vf-buses"
        /// Who may open its own nodes.
        case deviceNode = "device-node"
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

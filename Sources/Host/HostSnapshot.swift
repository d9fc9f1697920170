public import PCI

/// A host's PCI devices and IOMMU groups at one moment: a plain value, read once, changing nothing.
public struct HostSnapshot: Hashable, Sendable, Codable {
    /// Every PCI function, by address.
    public var devices: [Device]
    /// Every IOMMU group, by number. Empty when no IOMMU is on.
    public var groups: [IOMMUGroup]
    /// PCI drivers that are loaded: the names in /sys/bus/pci/drivers.
    public var drivers: [String]
    /// Network interfaces that sit on no PCI function: bonds, VLANs, bridges.
    public var otherInterfaces: [String]
    /// Whole disks that sit on no PCI function: device-mapper, md, loop.
    public var otherBlockDevices: [String]
    /// What was left out of the snapshot, one sentence each. What could hide a device's users is the device's `unseen`.
    public var notes: [String]
    /// The host's IOMMUs, by name; empty when they were not read (`HostSnapshot.Parts.iommus`), or there are none.
    public var iommus: [IOMMUUnit] = []
    /// The kernel's arguments (/proc/cmdline); nil when they were not read.
    public var kernelArguments: [String]?

    /// Makes a snapshot of what was read.
    public init(
        devices: [Device], groups: [IOMMUGroup], drivers: [String], otherInterfaces: [String] = [],
        otherBlockDevices: [String] = [], notes: [String] = []
    ) {
        self.devices = devices
        self.groups = groups
        self.drivers = drivers
        self.otherInterfaces = otherInterfaces
        self.otherBlockDevices = otherBlockDevices
        self.notes = notes
    }

    /// The device at an address.
    public func device(at address: PCIAddress) -> Device? { index(of: address).map { devices[$0] } }

    func index(of address: PCIAddress) -> Int? {
        var low = 0
        var high = devices.count
        while low < high {
            let middle = (low + high) / 2
            if devices[middle].address < address { low = middle + 1 } else { high = middle }
        }
        return low < devices.count && devices[low].address == address ? low : nil
    }

    /// What could not be looked at and could hide a user of some device, each sentence once.
    public var unseen: [String] {
        var sentences: [String] = []
        for device in devices {
            for sentence in device.unseen where !sentences.contains(sentence) { sentences.append(sentence) }
        }
        return sentences
    }

    /// The group of that number.
    public func group(_ id: Int) -> IOMMUGroup? { groups.first { $0.id == id } }
}

/// What identifies the model of a PCI function: the four ids of its configuration header.
public struct DeviceIdentity: Hashable, Sendable, Codable {
    /// Who made the chip.
    public var vendorID: UInt16
    /// Which chip.
    public var deviceID: UInt16
    /// Who made the card; 0 for bridges.
    public var subsystemVendorID: UInt16
    /// Which card.
    public var subsystemDeviceID: UInt16

    /// Makes an identity of four ids.
    public init(vendorID: UInt16, deviceID: UInt16, subsystemVendorID: UInt16, subsystemDeviceID: UInt16) {
        self.vendorID = vendorID
        self.deviceID = deviceID
        self.subsystemVendorID = subsystemVendorID
        self.subsystemDeviceID = subsystemDeviceID
    }
}

/// One PCI function, from the attributes of its sysfs directory. `config` is not read for it.
public struct Device: Hashable, Sendable, Codable {
    /// Where it sits.
    public var address: PCIAddress
    /// Vendor, device, subsystem vendor and device; 0 where the attribute is missing or nonsense (`problems` says so).
    public var identity: DeviceIdentity
    /// Base class, subclass and programming interface: 0x020000 is an Ethernet controller.
    public var classID: UInt32
    /// The revision; nil when the kernel gives none.
    public var revision: UInt8?
    /// The driver it is bound to.
    public var driver: String?
    /// `driver_override`, nil for none (the kernel prints "(null)").
    public var driverOverride: String?
    /// The number of its IOMMU group. It may change at the next boot.
    public var iommuGroup: Int?
    /// The NUMA node; nil where the kernel says -1 (unknown).
    public var numaNode: Int?
    /// The physical function, when this is a virtual one.
    public var physicalFunction: PCIAddress?
    /// The index among the physical function's VFs, from 0, when this is a virtual function.
    public var vfIndex: Int?
    /// SR-IOV, when this is a physical function with it.
    public var sriov: SRIOV?
    /// Network interfaces on it (`net/`).
    public var interfaces: [String]
    /// Whole block devices on it (`nvme0n1`, `sda`, `vda`).
    public var blockDevices: [String]
    /// Its nodes under /dev/vfio, while a VFIO driver is bound.
    public var vfio: VFIONodes
    /// Who uses it, each with the evidence.
    public var uses: [Use]
    /// Attributes that could not be read or made no sense: "class is empty".
    public var problems: [String]

    // MARK: hardware, read on demand

    /// Its hardware; nil when nobody has asked (`HostSnapshot.readHardware(of:from:)`).
    public var hardware: DeviceHardware? = nil

    // MARK: where it is, and which one it is

    /// Where it hangs; nil when that was not read (`HostSnapshot.Parts.topology`), or is not known.
    public var topology: DeviceTopology?
    /// The serial number of its configuration space (the DSN capability); nil when that was not read
    /// (`readSerialNumbers`), it has none, or it may not be read.
    public var serialNumber: UInt64?

    // MARK: what else sits on it, and what of its users could not be seen

    /// DRM's primary nodes (`card0`), from /sys/class/drm.
    public var drmCards: [String] = []
    /// DRM's render nodes (`renderD128`).
    public var renderNodes: [String] = []
    /// Framebuffers (`fb0`), from /sys/class/graphics.
    public var framebuffers: [String] = []
    /// InfiniBand and RoCE devices (`mlx5_0`), from /sys/class/infiniband.
    public var infinibandDevices: [String] = []
    /// SCSI hosts (`host3`), from /sys/class/scsi_host: of storage adapters, SATA ports, USB disks.
    public var scsiHosts: [String] = []
    /// Fibre Channel hosts (`host3`), from /sys/class/fc_host.
    public var fcHosts: [String] = []
    /// What could not be looked at and could hide a user of this device, one sentence each: while there is any, a device
    /// without `uses` is not known to be unused.
    public var unseen: [String] = []
    /// What is written on its disks that nobody uses: a reason to think twice, none to refuse. Empty unless
    /// `HostSnapshot.readSignatures` was asked.
    public var signatures: [IdleDisk] = []

    /// Makes a device of what was read.
    public init(
        address: PCIAddress, identity: DeviceIdentity, classID: UInt32, revision: UInt8? = nil, driver: String? = nil,
        driverOverride: String? = nil, iommuGroup: Int? = nil, numaNode: Int? = nil,
        physicalFunction: PCIAddress? = nil, vfIndex: Int? = nil, sriov: SRIOV? = nil, interfaces: [String] = [],
        blockDevices: [String] = [], vfio: VFIONodes = VFIONodes(), uses: [Use] = [], problems: [String] = []
    ) {
        self.address = address
        self.identity = identity
        self.classID = classID
        self.revision = revision
        self.driver = driver
        self.driverOverride = driverOverride
        self.iommuGroup = iommuGroup
        self.numaNode = numaNode
        self.physicalFunction = physicalFunction
        self.vfIndex = vfIndex
        self.sriov = sriov
        self.interfaces = interfaces
        self.blockDevices = blockDevices
        self.vfio = vfio
        self.uses = uses
        self.problems = problems
    }

    /// Whether this is a PCI bridge (base class 06, subclass 04): never a candidate for vfio-pci.
    public var isPCIBridge: Bool { classID >> 8 == 0x0604 }

    /// Its directory in sysfs.
    public var path: String { "/sys/bus/pci/devices/\(address)" }
}

/// A physical function's virtual functions.
public struct SRIOV: Hashable, Sendable, Codable {
    /// `sriov_totalvfs`: the most VFs the device (or its driver) allows.
    public var totalVFs: Int
    /// Its VFs that exist now, by index, from the `virtfnN` links: `sriov_numvfs` is not read, it blocks behind a
    /// pending write.
    public var virtualFunctions: [PCIAddress]
    /// `sriov_offset`: routing id of the first VF minus that of the PF. Nil when the kernel does not say.
    public var offset: Int?
    /// `sriov_stride`: routing ids from one VF to the next.
    public var stride: Int?
    /// `sriov_drivers_autoprobe`: whether new VFs are given to a driver as they appear.
    public var driversAutoprobe: Bool?

    /// Makes SR-IOV facts of what was read.
    public init(
        totalVFs: Int, virtualFunctions: [PCIAddress], offset: Int? = nil, stride: Int? = nil,
        driversAutoprobe: Bool? = nil
    ) {
        self.totalVFs = totalVFs
        self.virtualFunctions = virtualFunctions
        self.offset = offset
        self.stride = stride
        self.driversAutoprobe = driversAutoprobe
    }
}

/// The device nodes through which VFIO gives a device out; present once vfio-pci (or a variant) is bound.
public struct VFIONodes: Hashable, Sendable, Codable {
    /// `/dev/vfio/12`: the group's node.
    public var group: String?
    /// `/dev/vfio/devices/vfio3`: the device's own node (kernel 6.6 and newer, with CONFIG_VFIO_DEVICE_CDEV).
    public var cdev: String?

    /// Makes the pair.
    public init(group: String? = nil, cdev: String? = nil) {
        self.group = group
        self.cdev = cdev
    }
}

/// One user of a device.
public struct Use: Hashable, Sendable, Codable {
    /// The kinds of user; the words are part of the command contract.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case mount, swap, holder, address, route, session, enslaved, stacked, vf, display, console, process, vfio
    }

    /// What kind of user.
    public var by: Kind
    /// The evidence, with the interface, disk, or pid and command in it: "nvme0n1p2 is mounted on /".
    public var detail: String

    /// Makes a use.
    public init(by: Kind, detail: String) {
        self.by = by
        self.detail = detail
    }
}

/// An IOMMU group: what the IOMMU cannot tell apart, and so goes to one owner as a whole.
public struct IOMMUGroup: Hashable, Sendable, Codable {
    /// Its number; it may change at the next boot.
    public var id: Int
    /// Its members, by address.
    public var devices: [PCIAddress]
    /// Address ranges that are not for the user's mappings (`reserved_regions`).
    public var reserved: [ReservedRegion]

    /// Makes a group of what was read.
    public init(id: Int, devices: [PCIAddress], reserved: [ReservedRegion]) {
        self.id = id
        self.devices = devices
        self.reserved = reserved
    }
}

/// One line of a group's `reserved_regions`.
public struct ReservedRegion: Hashable, Sendable, Codable {
    /// First address.
    public var start: UInt64
    /// Last address, inclusive.
    public var end: UInt64
    /// `direct`, `direct-relaxable`, `reserved`, `msi`.
    public var type: String

    /// Makes a region.
    public init(start: UInt64, end: UInt64, type: String) {
        self.start = start
        self.end = end
        self.type = type
    }
}

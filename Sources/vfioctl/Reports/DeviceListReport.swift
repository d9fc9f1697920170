internal import Host
internal import HostAccess
internal import PCI

/// The contract's answer of `list`.
struct DeviceListReport: Encodable {
    var schema: String
    var devices: [DeviceReport]
    /// What could not be looked at: where it could hide a user, an empty `in_use` does not mean unused.
    var notes: [String]

    init(
        _ devices: [Device], of snapshot: HostSnapshot, names: some DeviceNames, stable: Bool = true
    ) {
        schema = "vfioctl.list/1"
        notes = snapshot.notes + snapshot.unseen
        self.devices = devices.map { DeviceReport($0, names: names) }
        guard stable else { return }
        for (index, device) in devices.enumerated() {
            self.devices[index].stable = Nullable(wrappedValue: snapshot.stableIdentity(of: device))
        }
    }
}

struct DeviceReport: Encodable {
    struct SRIOVReport: Encodable {
        var totalVFs: Int
        var numVFs: Int
        var vfs: [PCIAddress]

        enum CodingKeys: String, CodingKey {
            case totalVFs = "total_vfs"
            case numVFs = "num_vfs"
            case vfs
        }
    }

    struct VFIOReport: Encodable {
        @Nullable var group: String?
        @Nullable var cdev: String?
    }

    struct SignatureReport: Encodable {
        var blockDevice: String
        var type: String
        @Nullable var label: String?

        enum CodingKeys: String, CodingKey {
            case type, label
            case blockDevice = "block_device"
        }
    }

    var address: PCIAddress
    var blockDevices: [String]
    @Nullable var classification: String?
    var classID: String
    @Nullable var device: String?
    var deviceID: String
    @Nullable var driver: String?
    @Nullable var driverOverride: String?
    var drmCards: [String]
    var fcHosts: [String]
    var framebuffers: [String]
    var inUse: [Use]
    var infinibandDevices: [String]
    var interfaces: [String]
    @Nullable var iommuGroup: Int?
    @Nullable var numaNode: Int?
    @Nullable var physicalFunction: PCIAddress?
    var problems: [String]
    var renderNodes: [String]
    @Nullable var revision: String?
    var scsiHosts: [String]
    /// What is written on disks that nobody uses; `list` does not ask, and has none.
    var signatures: [SignatureReport]
    @Nullable var sriov: SRIOVReport?
    /// Left out where it was not asked for.
    var stable: Nullable<StableIdentity>?
    var subsystemDeviceID: String
    var subsystemVendorID: String
    /// What could not be looked at, and so could hide a user of this device.
    var unseen: [String]
    @Nullable var vendor: String?
    var vendorID: String
    @Nullable var vfIndex: Int?
    var vfio: VFIOReport

    /// In their order, in which they are written: members that come in order need no sorting.
    enum CodingKeys: String, CodingKey {
        case address
        case blockDevices = "block_devices"
        case classification = "class"
        case classID = "class_id"
        case device
        case deviceID = "device_id"
        case driver
        case driverOverride = "driver_override"
        case drmCards = "drm_cards"
        case fcHosts = "fc_hosts"
        case framebuffers
        case inUse = "in_use"
        case infinibandDevices = "infiniband_devices"
        case interfaces
        case iommuGroup = "iommu_group"
        case numaNode = "numa_node"
        case physicalFunction = "physical_function"
        case problems
        case renderNodes = "render_nodes"
        case revision
        case scsiHosts = "scsi_hosts"
        case signatures
        case sriov
        case stable
        case subsystemDeviceID = "subsystem_device_id"
        case subsystemVendorID = "subsystem_vendor_id"
        case unseen
        case vendor
        case vendorID = "vendor_id"
        case vfIndex = "vf_index"
        case vfio
    }

    init(_ device: Device, names: some DeviceNames) {
        address = device.address
        vendorID = hexadecimal(device.identity.vendorID, width: 4)
        deviceID = hexadecimal(device.identity.deviceID, width: 4)
        subsystemVendorID = hexadecimal(device.identity.subsystemVendorID, width: 4)
        subsystemDeviceID = hexadecimal(device.identity.subsystemDeviceID, width: 4)
        classID = hexadecimal(device.classID, width: 6)
        revision = device.revision.map { hexadecimal($0, width: 2) }
        vendor = names.vendor(device.identity.vendorID)
        self.device = names.device(device.identity.vendorID, device.identity.deviceID)
        classification = names.classification(device.classID)
        driver = device.driver
        driverOverride = device.driverOverride
        iommuGroup = device.iommuGroup
        numaNode = device.numaNode
        physicalFunction = device.physicalFunction
        vfIndex = device.vfIndex
        sriov = device.sriov.map {
            SRIOVReport(totalVFs: $0.totalVFs, numVFs: $0.virtualFunctions.count, vfs: $0.virtualFunctions)
        }
        inUse = device.uses
        vfio = VFIOReport(group: device.vfio.group, cdev: device.vfio.cdev)
        interfaces = device.interfaces
        blockDevices = device.blockDevices
        drmCards = device.drmCards
        renderNodes = device.renderNodes
        framebuffers = device.framebuffers
        infinibandDevices = device.infinibandDevices
        scsiHosts = device.scsiHosts
        fcHosts = device.fcHosts
        unseen = device.unseen
        signatures = device.signatures.map {
            SignatureReport(blockDevice: $0.blockDevice, type: $0.content.type, label: $0.content.label)
        }
        problems = device.problems
    }
}

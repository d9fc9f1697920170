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
    var vendorID: String
    var deviceID: String
    var subsystemVendorID: String
    var subsystemDeviceID: String
    var classID: String
    @Nullable var revision: String?
    @Nullable var vendor: String?
    @Nullable var device: String?
    @Nullable var classification: String?
    @Nullable var driver: String?
    @Nullable var driverOverride: String?
    @Nullable var iommuGroup: Int?
    @Nullable var numaNode: Int?
    @Nullable var physicalFunction: PCIAddress?
    @Nullable var vfIndex: Int?
    @Nullable var sriov: SRIOVReport?
    var inUse: [Use]
    var vfio: VFIOReport
    var interfaces: [String]
    var blockDevices: [String]
    var drmCards: [String]
    var renderNodes: [String]
    var framebuffers: [String]
    var infinibandDevices: [String]
    var scsiHosts: [String]
    var fcHosts: [String]
    /// What could not be looked at, and so could hide a user of this device.
    var unseen: [String]
    /// What is written on disks that nobody uses; `list` does not ask, and has none.
    var signatures: [SignatureReport]
    var problems: [String]
    /// Left out where it was not asked for.
    var stable: Nullable<StableIdentity>?

    enum CodingKeys: String, CodingKey {
        case address, revision, vendor, device, driver, sriov, vfio, interfaces, framebuffers, unseen, signatures,
            problems
        case stable
        case vendorID = "vendor_id"
        case deviceID = "device_id"
        case subsystemVendorID = "subsystem_vendor_id"
        case subsystemDeviceID = "subsystem_device_id"
        case classID = "class_id"
        case classification = "class"
        case driverOverride = "driver_override"
        case iommuGroup = "iommu_group"
        case numaNode = "numa_node"
        case physicalFunction = "physical_function"
        case vfIndex = "vf_index"
        case inUse = "in_use"
        case blockDevices = "block_devices"
        case drmCards = "drm_cards"
        case renderNodes = "render_nodes"
        case infinibandDevices = "infiniband_devices"
        case scsiHosts = "scsi_hosts"
        case fcHosts = "fc_hosts"
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

internal import Host
internal import PCI
internal import Rendering

/// The contract's answer of `sriov list`.
struct VFListReport: Encodable {
    /// One virtual function. What only the PF's driver can say (MAC, VLAN, rates, …) is null until netlink is asked.
    struct VF: Encodable {
        var index: Int
        var address: PCIAddress
        @Nullable var driver: String?
        @Nullable var iommuGroup: Int?
        @Nullable var interface: String?

        enum CodingKeys: String, CodingKey {
            case index, address, driver, interface
            case iommuGroup = "iommu_group"
            case mac, vlan, qos, trust
            case spoofCheck = "spoof_check"
            case minRate = "min_rate"
            case maxRate = "max_rate"
            case linkState = "link_state"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(index, forKey: .index)
            try container.encode(address, forKey: .address)
            try container.encode(_driver, forKey: .driver)
            try container.encode(_iommuGroup, forKey: .iommuGroup)
            try container.encode(_interface, forKey: .interface)
            for key: CodingKeys in [.mac, .vlan, .qos, .trust, .spoofCheck, .minRate, .maxRate, .linkState] {
                try container.encodeNil(forKey: key)
            }
        }
    }

    let schema = "vfioctl.sriov_list/1"
    var physicalFunction: PCIAddress
    var totalVFs: Int
    var numVFs: Int
    @Nullable var driversAutoprobe: Bool?
    var vfs: [VF]

    enum CodingKeys: String, CodingKey {
        case schema, vfs
        case physicalFunction = "physical_function"
        case totalVFs = "total_vfs"
        case numVFs = "num_vfs"
        case driversAutoprobe = "drivers_autoprobe"
    }

    init(_ device: Device, _ sriov: SRIOV, in snapshot: HostSnapshot) {
        physicalFunction = device.address
        totalVFs = sriov.totalVFs
        numVFs = sriov.virtualFunctions.count
        driversAutoprobe = sriov.driversAutoprobe
        vfs = sriov.virtualFunctions.enumerated().map { index, address in
            let function = snapshot.device(at: address)
            return VF(
                index: index, address: address, driver: function?.driver, iommuGroup: function?.iommuGroup,
                interface: function?.interfaces.first)
        }
    }

    func text(width: Int?, colours: Bool) -> String {
        var table = Table(
            .whole("VF"), .whole("ADDRESS"), .whole("GROUP"), .whole("DRIVER"), .whole("INTERFACE"))
        for vf in vfs {
            table.add(vf.index)
            table.add(vf.address)
            table.add(vf.iommuGroup)
            table.add(vf.driver ?? "-")
            table.add(vf.interface ?? "-")
        }
        let summary = "\(physicalFunction) has \(numVFs) of \(totalVFs) virtual functions\n"
        return vfs.isEmpty ? summary : table.rendered(width: width, colours: colours) + summary
    }
}

import Guests
import Host
import PCI

let igb = address("0000:01:00.0")
let sibling = address("0000:01:00.1")

func address(_ text: String) -> PCIAddress {
    guard let address = PCIAddress(text) else { preconditionFailure("\(text) is no address") }
    return address
}

/// A host with two functions in one IOMMU group, made from what matters when one is opened.
func host(
    driver: String? = "vfio-pci", cdev: String? = "/dev/vfio/devices/vfio0", group: Int? = 7, heldBy: String? = nil,
    siblingDriver: String? = "vfio-pci", siblingHeldBy: String? = nil
) -> HostSnapshot {
    let identity = DeviceIdentity(vendorID: 0x8086, deviceID: 0x10c9, subsystemVendorID: 0, subsystemDeviceID: 0)
    func function(_ address: PCIAddress, _ driver: String?, _ cdev: String?, _ holder: String?) -> Device {
        Device(
            address: address, identity: identity, classID: 0x020000, driver: driver, iommuGroup: group,
            vfio: VFIONodes(group: group.map { "/dev/vfio/\($0)" }, cdev: cdev),
            uses: holder.map { [Use(by: .vfio, detail: $0)] } ?? [])
    }
    return HostSnapshot(
        devices: [
            function(igb, driver, cdev, heldBy),
            function(sibling, siblingDriver, "/dev/vfio/devices/vfio1", siblingHeldBy),
        ],
        groups: group.map { [IOMMUGroup(id: $0, devices: [igb, sibling], reserved: [])] } ?? [],
        drivers: ["vfio-pci"])
}

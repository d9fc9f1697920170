public import Changes
public import Host
public import PCI
public import VFIO

extension HostSnapshot {
    /// What forbids opening devices through VFIO now, as a plan without steps: obstacles for what no one may override,
    /// refusals for who holds a device.
    ///
    /// - Parameter permitted: members of the same groups that may be held: by the guest that is to get the device too.
    public func objectionsToOpening(
        _ addresses: [PCIAddress], through backend: VFIOBackend, besides permitted: Set<PCIAddress> = []
    ) -> Plan {
        var plan = Plan()
        var groups: Set<Int> = []
        for address in addresses {
            guard let device = device(at: address) else {
                plan.obstacles.append("there is no device \(address) any more")
                continue
            }
            if let obstacle = obstacle(to: device, through: backend) { plan.obstacles.append(obstacle) }
            if let group = device.iommuGroup { groups.insert(group) }
        }
        for id in groups.sorted() {
            guard let group = group(id) else { continue }
            let verdict = viability(of: group)
            if !verdict.isViable {
                plan.obstacles.append(
                    "group \(id) is not viable: \(verdict.reasons.joined(separator: ", ")); vfioctl bind --group takes "
                        + "every endpoint of it")
            }
            // The kernel gives a group to one owner: who holds another member of it is in the way as well.
            for member in group.devices where !permitted.contains(member) {
                for use in device(at: member)?.uses ?? [] where use.by == .vfio {
                    // Who has the group's node open is named once, not for each member.
                    if plan.refusals.contains(where: { $0.detail == use.detail }) { continue }
                    plan.refusals.append(
                        Refusal(device: member.description, by: use.by.rawValue, detail: use.detail))
                }
            }
        }
        return plan
    }

    private func obstacle(to device: Device, through backend: VFIOBackend) -> String? {
        guard let driver = device.driver, DriverPolicy.isVFIO(driver) else {
            return "\(device.address) is bound to \(device.driver ?? "no driver"), not to a VFIO driver: "
                + "vfioctl bind \(device.address) first"
        }
        switch backend {
        case .group:
            if device.iommuGroup != nil { return nil }
            return "\(device.address) is in no IOMMU group: is the IOMMU on? (vfioctl check says)"
        case .iommufd:
            if device.vfio.cdev != nil { return nil }
            return "\(device.address) has no node under /dev/vfio/devices: this kernel has no CONFIG_VFIO_DEVICE_CDEV "
                + "(vfioctl check says); only --backend group can open it"
        }
    }
}

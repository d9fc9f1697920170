public import PCI

/// Takes a device back from a running QEMU: `device_del`, which asks the guest, and waits for it to let go. The iommufd
/// object goes with the last device that used it.
public struct DetachRequest: Hashable, Sendable {
    /// What to take back.
    public var address: PCIAddress
    /// The monitor's socket.
    public var socket: String
    /// The device's id in the guest.
    public var id: String

    /// Makes a request. `id` is `GuestNames.device` of the address unless given.
    public init(address: PCIAddress, socket: String, id: String? = nil) {
        self.address = address
        self.socket = socket
        self.id = id ?? GuestNames.device(address)
    }

    /// Decides what is to be done in a guest that looks so. No I/O.
    ///
    /// - Parameter isHeld: whether the guest's VMM has the device open; nil when that cannot be seen.
    public func plan(in guest: GuestSnapshot, isHeld: Bool? = nil) -> GuestPlan {
        var plan = GuestPlan(address: address, socket: socket)
        if let type = guest.devices[id] {
            guard type.hasPrefix("vfio-pci") else {
                plan.obstacles.append("the guest's device \(id) is a \(type), not a device of the host's")
                return plan
            }
            plan.steps.append(unplug)
        } else if isHeld == true {
            plan.obstacles.append(
                "the guest has no device \(id), and yet has \(address) open: name the --id that it has there "
                    + "(of \(guest.devices.filter { $0.value == "vfio-pci" }.keys.sorted().joined(separator: ", ")))")
            return plan
        }
        // Left over from a guest that let go only after an earlier detach had stopped waiting, too.
        let name = GuestNames.iommufdObject
        let isUsed = guest.iommufdOf.contains { $0.key != id && $0.value == name }
        if guest.objects[name] == "iommufd", !isUsed { plan.steps.append(removeIOMMUFD) }
        return plan
    }

    private var unplug: GuestPlan.Step {
        GuestPlan.Step(
            action: "unplug", operations: [.init(QMPCommand("device_del", ["id": .string(id)]))], goal: .noDevice(id))
    }

    private var removeIOMMUFD: GuestPlan.Step {
        let name = GuestNames.iommufdObject
        return GuestPlan.Step(
            action: "remove-iommufd", operations: [.init(QMPCommand("object-del", ["id": .string(name)]))],
            goal: .noObject(name))
    }
}

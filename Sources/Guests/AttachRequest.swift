internal import Changes
public import Host
public import PCI
internal import VFIO

/// Gives a device to a QEMU that is already running: the iommufd and the device's own descriptor, then `device_add`.
public struct AttachRequest: Hashable, Sendable {
    /// What to attach.
    public var address: PCIAddress
    /// The monitor's socket.
    public var socket: String
    /// The device's id in the guest.
    public var id: String
    /// The bus to plug it into; nil takes the first free root port or, in a guest without any, QEMU's own choice.
    public var bus: String?

    /// Makes a request. `id` is `GuestNames.device` of the address unless given.
    public init(address: PCIAddress, socket: String, id: String? = nil, bus: String? = nil) {
        self.address = address
        self.socket = socket
        self.id = id ?? GuestNames.device(address)
        self.bus = bus
    }

    /// Decides what is to be done on a host and in a guest that look so. No I/O.
    public func plan(on host: HostSnapshot, in guest: GuestSnapshot) -> GuestPlan {
        var plan = GuestPlan(address: address, socket: socket)
        if let type = guest.devices[id] {
            // Our own id says which device it is; one that the user chose does not.
            if type == Self.driver, id == GuestNames.device(address) { return plan }
            plan.obstacles.append("the guest already has a device \(id), a \(type): choose another --id")
            return plan
        }
        let objections = host.objectionsToOpening(
            [address], through: .iommufd, besides: siblings(on: host, in: guest))
        plan.refusals = objections.refusals
        plan.obstacles = objections.obstacles
        if !guest.hasIOMMUFD {
            plan.obstacles.append(
                "this QEMU (\(guest.version)) cannot take a device's descriptor: that needs 9.0 or newer, with iommufd")
        }
        let port = place(in: guest)
        if bus == nil, port == nil, !guest.rootPorts.isEmpty {
            plan.obstacles.append(
                "every root port of the guest is taken (\(guest.rootPorts.map(\.id).joined(separator: ", "))): "
                    + "start it with one more pcie-root-port, or name a --bus")
        }
        let object = iommufdObject(on: host, in: guest)
        if let type = guest.objects[object], type != "iommufd" {
            plan.obstacles.append("the guest's object \(object) is a \(type), not an iommufd")
        }
        guard plan.refusals.isEmpty, plan.obstacles.isEmpty else { return plan }

        if guest.objects[object] == nil { plan.steps.append(add(object)) }
        plan.steps.append(plug(into: port, through: object))
        return plan
    }

    /// Other members of the device's group that this guest has, as far as their ids tell.
    private func siblings(on host: HostSnapshot, in guest: GuestSnapshot) -> Set<PCIAddress> {
        guard let id = host.device(at: address)?.iommuGroup, let group = host.group(id) else { return [] }
        return Set(group.devices.filter { $0 != address && guest.iommufdOf[GuestNames.device($0)] != nil })
    }

    /// The iommufd to use: the one that has the device's group already, since the kernel gives a group to one; else our
    /// own; else whichever the guest was started with. With none there, our own is added.
    private func iommufdObject(on host: HostSnapshot, in guest: GuestSnapshot) -> String {
        if let sibling = siblings(on: host, in: guest).min(), let object = guest.iommufdOf[GuestNames.device(sibling)] {
            return object
        }
        if guest.objects[GuestNames.iommufdObject] != nil { return GuestNames.iommufdObject }
        return guest.objects.filter { $0.value == "iommufd" }.keys.min() ?? GuestNames.iommufdObject
    }

    private func place(in guest: GuestSnapshot) -> String? { bus ?? guest.rootPorts.first { $0.isFree }?.id }

    private static let driver = "vfio-pci"

    private func add(_ name: String) -> GuestPlan.Step {
        let descriptor = name + "-fd"
        return GuestPlan.Step(
            action: "add-iommufd",
            operations: [
                .init(QMPCommand("getfd", ["fdname": .string(descriptor)]), passing: .iommufd),
                .init(
                    QMPCommand("object-add", ["qom-type": "iommufd", "id": .string(name), "fd": .string(descriptor)])),
            ],
            undo: [QMPCommand("object-del", ["id": .string(name)])], goal: .object(name))
    }

    private func plug(into port: String?, through iommufd: String) -> GuestPlan.Step {
        let descriptor = id + "-fd"
        var arguments: [String: JSONValue] = [
            "driver": .string(Self.driver), "id": .string(id), "fd": .string(descriptor),
            "iommufd": .string(iommufd),
        ]
        if let port { arguments["bus"] = .string(port) }
        return GuestPlan.Step(
            action: "plug",
            operations: [
                .init(QMPCommand("getfd", ["fdname": .string(descriptor)]), passing: .device),
                .init(QMPCommand("device_add", arguments)),
            ], goal: .device(id))
    }
}

public import Changes
public import Host
public import PCI

/// Gives devices to a driver: usually from their host driver to vfio-pci.
///
/// The order is the one that leaves no gap: first every device is held by its `driver_override` and taken from its
/// driver, then each is bound. A group is viable only when its last member has left its host driver.
public struct BindRequest: Hashable, Sendable {
    /// What to bind.
    public var devices: [PCIAddress]
    /// The driver to bind to.
    public var driver: String
    /// Whether every endpoint of the devices' IOMMU groups is bound along. Bridges are left alone.
    public var wholeGroup: Bool
    /// Refusals that the user overrides, one by one.
    public var forced: Set<Force>

    /// One refusal that is overridden: of one device, for one kind of user.
    public struct Force: Hashable, Sendable {
        /// The device in question.
        public var device: PCIAddress
        /// The kind of user that is overridden.
        public var by: Use.Kind

        /// Makes an override of one refusal.
        public init(device: PCIAddress, by: Use.Kind) {
            self.device = device
            self.by = by
        }
    }

    /// Makes a request.
    public init(devices: [PCIAddress], driver: String = "vfio-pci", wholeGroup: Bool = false, forced: Set<Force> = []) {
        self.devices = devices
        self.driver = driver
        self.wholeGroup = wholeGroup
        self.forced = forced
    }

    /// Decides what is to be done on a host that looks like `snapshot`. No I/O.
    public func plan(on snapshot: HostSnapshot) -> Plan {
        var plan = Plan()
        let chosen = targets(on: snapshot)
        let moving = chosen.filter { $0.driver != driver }
        for device in moving {
            object(to: device, into: &plan)
            plan.warn(of: device)
        }
        if DriverPolicy.isVFIO(driver) { objectToGroups(of: chosen, on: snapshot, into: &plan) }
        guard !moving.isEmpty else { return plan }

        if !snapshot.drivers.contains(driver) { plan.steps.append(DriverSteps.load(driver)) }
        for device in moving {
            plan.origins.append(device.driverOrigin)
            if device.driverOverride != driver { plan.steps.append(device.overrideStep(to: driver)) }
            if let current = device.driver { plan.steps.append(device.unbindStep(from: current)) }
        }
        for device in moving { plan.steps.append(device.bindStep(to: driver)) }
        return plan
    }

    /// The devices asked for and, with `wholeGroup`, the other endpoints of their groups; each once, by address.
    public func targets(on snapshot: HostSnapshot) -> [Device] {
        var addresses = Set(devices)
        if wholeGroup {
            for address in devices {
                guard let id = snapshot.device(at: address)?.iommuGroup, let group = snapshot.group(id) else {
                    continue
                }
                addresses.formUnion(group.devices.filter { snapshot.device(at: $0)?.isPCIBridge == false })
            }
        }
        return addresses.sorted().compactMap { snapshot.device(at: $0) }
    }

    private func object(to device: Device, into plan: inout Plan) {
        if device.isPCIBridge {
            plan.obstacles.append(
                "\(device.address) is a PCI bridge, which no guest can be given: name the devices behind it")
        }
        var uses = device.uses
        if let virtualFunctions = device.sriov?.virtualFunctions, !virtualFunctions.isEmpty,
            !uses.contains(where: { $0.by == .vf })
        {
            uses.append(
                Use(
                    by: .vf,
                    detail: "\(virtualFunctions.count) virtual functions of it exist: destroy them first "
                        + "(vfioctl sriov destroy \(device.address))"))
        }
        plan.refusals += uses.filter { !forced.contains(Force(device: device.address, by: $0.by)) }
            .map { Refusal(device: device.address.description, by: $0.by.rawValue, detail: $0.detail) }
    }

    /// What would keep the groups from being viable after the plan.
    private func objectToGroups(of chosen: [Device], on snapshot: HostSnapshot, into plan: inout Plan) {
        let moved = Set(chosen.map(\.address))
        for device in chosen where device.iommuGroup == nil && !device.isPCIBridge {
            plan.obstacles.append(
                "\(device.address) is in no IOMMU group, so \(driver) cannot take it: is the IOMMU on? "
                    + "(vfioctl check says)")
        }
        for id in Set(chosen.compactMap(\.iommuGroup)).sorted() {
            guard let group = snapshot.group(id) else { continue }
            let verdict = snapshot.viability(of: group) {
                moved.contains($0) ? driver : snapshot.device(at: $0)?.driver
            }
            guard !verdict.isViable else { continue }
            plan.obstacles.append(
                "group \(id) would not be viable: \(verdict.reasons.joined(separator: ", "))"
                    + (wholeGroup ? "" : "; --group binds every endpoint of it"))
        }
    }
}

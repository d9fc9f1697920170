public import Changes
public import Host
public import PCI

/// Creates virtual functions of one physical function, and binds them.
public struct CreateVirtualFunctions: Hashable, Sendable {
    /// The physical function.
    public var physicalFunction: PCIAddress
    /// How many VFs there are to be. 0 destroys them.
    public var count: Int
    /// The driver for the VFs; nil leaves them to the host (`sriov_drivers_autoprobe` as it is).
    public var driver: String?

    /// Makes a request.
    public init(physicalFunction: PCIAddress, count: Int, driver: String? = nil) {
        self.physicalFunction = physicalFunction
        self.count = count
        self.driver = driver
    }

    /// Decides what is to be done on a host that looks like `snapshot`. No I/O.
    ///
    /// The VFs' addresses are computed from `sriov_offset` and `sriov_stride`, and each is awaited by its address.
    ///
    /// - Parameters:
    ///   - snapshot: the host.
    ///   - interrupts: the physical function's vectors. Drivers such as igb allocate them anew; affinities that somebody
    ///     chose are then given to the new ones.
    ///   - remembered: what the journal remembers of the physical function.
    public func plan(on snapshot: HostSnapshot, interrupts: InterruptSnapshot? = nil, remembered: Origin? = nil) -> Plan
    {
        guard count > 0 else {
            return DestroyVirtualFunctions(physicalFunction: physicalFunction)
                .plan(on: snapshot, interrupts: interrupts, remembered: remembered)
        }
        var plan = Plan()
        guard let device = snapshot.device(at: physicalFunction), let sriov = device.sriov else {
            plan.obstacles.append("\(physicalFunction) has no SR-IOV: it cannot have virtual functions")
            return plan
        }
        object(to: device, sriov, into: &plan)
        if plan.isRefused { return plan }
        let existing = sriov.virtualFunctions
        if existing.count == count {
            if let driver { plan.append(BindRequest(devices: existing, driver: driver).plan(on: snapshot)) }
            return plan
        }
        guard let addresses = addresses(of: device, sriov) else {
            plan.obstacles.append(
                "the kernel gives no usable sriov_offset and sriov_stride for \(physicalFunction), so the addresses of its "
                    + "virtual functions are unknown")
            return plan
        }
        VirtualFunctionSteps.objectToRemoval(of: existing, on: snapshot, into: &plan)
        VirtualFunctionSteps.warnOfInterfaces(device, into: &plan)
        plan.forgets += existing.map(\.description)

        let affinities = ChosenAffinities(of: device, interrupts, remembered: remembered)
        let releases = VirtualFunctionSteps.releases(of: existing, on: snapshot)
        // A driver that does not exist is found before anything is changed.
        if let driver, !snapshot.drivers.contains(driver) { plan.steps.append(DriverSteps.load(driver)) }
        // Off while VFs appear: else the host's own driver takes each one first, with a network interface and all.
        let autoprobe = sriov.driversAutoprobe ?? true
        let isOff = autoprobe && (driver != nil || !releases.isEmpty)
        if isOff { plan.steps.append(VirtualFunctionSteps.autoprobe(of: device, from: true, to: false)) }
        plan.steps += releases
        if !existing.isEmpty {
            plan.steps.append(affinities.kept(by: VirtualFunctionSteps.remove(from: device, existing)))
        }
        let back = isOff ? [VirtualFunctionSteps.autoprobe(of: device, from: false, to: true)] : []
        if driver == nil { plan.steps += back }
        plan.steps.append(affinities.kept(by: VirtualFunctionSteps.create(addresses, of: device)))
        if let driver {
            addBindings(of: addresses, to: driver, into: &plan)
            plan.steps += back
        }
        plan.steps += affinities.steps
        plan.origins += affinities.origin.map { [$0] } ?? []
        return plan
    }

    private func object(to device: Device, _ sriov: SRIOV, into plan: inout Plan) {
        if count > sriov.totalVFs {
            plan.obstacles.append(
                "\(physicalFunction) can have \(sriov.totalVFs) virtual functions at most (sriov_totalvfs), not \(count)"
            )
        }
        switch device.driver {
        case nil:
            plan.obstacles.append(
                "\(physicalFunction) has no driver: a physical function's driver creates its virtual functions")
        case .some(let current) where DriverPolicy.isVFIO(current):
            plan.obstacles.append("\(physicalFunction) is bound to \(current), which creates no virtual functions")
        default:
            break
        }
        if let driver, DriverPolicy.isVFIO(driver), device.iommuGroup == nil {
            plan.obstacles.append(
                "\(physicalFunction) is in no IOMMU group, so \(driver) could not take its virtual functions: is the IOMMU "
                    + "on? (vfioctl check says)")
        }
    }

    /// The VFs' addresses: routing id of the PF, plus the offset, plus a stride for each.
    private func addresses(of device: Device, _ sriov: SRIOV) -> [PCIAddress]? {
        guard let offset = sriov.offset, offset > 0, let stride = sriov.stride, stride > 0 || count == 1 else {
            return nil
        }
        let (span, overflow) = (count - 1).multipliedReportingOverflow(by: stride)
        let room = Int(UInt16.max) - Int(physicalFunction.routingID)
        guard !overflow, offset <= room, span <= room - offset else { return nil }
        return (0..<count).map { index in
            PCIAddress(
                domain: physicalFunction.domain,
                routingID: UInt16(Int(physicalFunction.routingID) + offset + index * stride))
        }
    }

    private func addBindings(of addresses: [PCIAddress], to driver: String, into plan: inout Plan) {
        for (index, address) in addresses.enumerated() {
            let path = "/sys/bus/pci/devices/\(address)"
            let identity: [Condition] = [.link(path: "physfn", name: physicalFunction.description)]
            plan.steps.append(
                Step(
                    action: "set-driver-override", device: address.description, directory: path,
                    identity: identity,
                    operations: [.write(driver, to: "driver_override")],
                    goals: [.value(path: "driver_override", equals: driver)],
                    undo: [.write("", to: "driver_override")],
                    undone: [.value(path: "driver_override", equals: noOverride)]))
            plan.steps.append(DriverSteps.bind(address, at: path, identity: identity, to: driver))
            plan.origins.append(
                Origin(
                    key: address.description, identity: "virtual function \(index) of \(physicalFunction)",
                    values: ["driver": "", "driver_override": noOverride]))
        }
    }
}

/// Removes every virtual function of one physical function.
public struct DestroyVirtualFunctions: Hashable, Sendable {
    /// The physical function.
    public var physicalFunction: PCIAddress

    /// Makes a request.
    public init(physicalFunction: PCIAddress) { self.physicalFunction = physicalFunction }

    /// Decides what is to be done on a host that looks like `snapshot`. No I/O.
    ///
    /// - Parameters:
    ///   - snapshot: the host.
    ///   - interrupts: the physical function's vectors, to keep affinities that somebody chose.
    ///   - remembered: what the journal remembers of the physical function.
    public func plan(on snapshot: HostSnapshot, interrupts: InterruptSnapshot? = nil, remembered: Origin? = nil) -> Plan
    {
        var plan = Plan()
        guard let device = snapshot.device(at: physicalFunction), let sriov = device.sriov else {
            plan.obstacles.append("\(physicalFunction) has no SR-IOV: it cannot have virtual functions")
            return plan
        }
        let existing = sriov.virtualFunctions
        guard !existing.isEmpty else { return plan }
        VirtualFunctionSteps.objectToRemoval(of: existing, on: snapshot, into: &plan)
        VirtualFunctionSteps.warnOfInterfaces(device, into: &plan)
        let affinities = ChosenAffinities(of: device, interrupts, remembered: remembered)
        let releases = VirtualFunctionSteps.releases(of: existing, on: snapshot)
        let isOff = !releases.isEmpty && sriov.driversAutoprobe ?? true
        if isOff { plan.steps.append(VirtualFunctionSteps.autoprobe(of: device, from: true, to: false)) }
        plan.steps += releases
        plan.steps.append(affinities.kept(by: VirtualFunctionSteps.remove(from: device, existing)))
        if isOff { plan.steps.append(VirtualFunctionSteps.autoprobe(of: device, from: false, to: true)) }
        plan.steps += affinities.steps
        plan.forgets += existing.map(\.description)
        if let remembered, affinities.settle(remembered) { plan.forgets.append(remembered.key) }
        return plan
    }
}

enum VirtualFunctionSteps {
    static func create(_ addresses: [PCIAddress], of device: Device) -> Step {
        Step(
            action: "create-vfs", device: device.address.description, directory: device.path,
            identity: device.identityConditions, guards: [.missing(path: "virtfn0")],
            operations: [.write("\(addresses.count)", to: "sriov_numvfs")],
            goals: addresses.enumerated().map { .link(path: "virtfn\($0.offset)", name: $0.element.description) }
                + addresses.indices.map { .exists(path: "virtfn\($0)/driver_override") },
            undo: [.write("0", to: "sriov_numvfs")], undone: [.missing(path: "virtfn0")], settleSeconds: 30)
    }

    static func remove(from device: Device, _ existing: [PCIAddress]) -> Step {
        Step(
            action: "remove-vfs", device: device.address.description, directory: device.path,
            identity: device.identityConditions, operations: [.write("0", to: "sriov_numvfs")],
            goals: [.missing(path: "virtfn0")], undo: [.write("\(existing.count)", to: "sriov_numvfs")],
            undone: existing.enumerated().map { .link(path: "virtfn\($0.offset)", name: $0.element.description) },
            settleSeconds: 30)
    }

    /// Takes existing VFs from their drivers before they are removed, so that undoing the removal can give each its driver
    /// and override back.
    static func releases(of existing: [PCIAddress], on snapshot: HostSnapshot) -> [Step] {
        existing.compactMap { snapshot.device(at: $0) }.flatMap { function -> [Step] in
            if let driver = function.driver { return [function.unbindStep(from: driver)] }
            return function.driverOverride == nil ? [] : [function.overrideStep(to: nil)]
        }
    }

    static func autoprobe(of device: Device, from: Bool, to: Bool) -> Step {
        func text(_ on: Bool) -> String { on ? "1" : "0" }
        return Step(
            action: "set-autoprobe", device: device.address.description, directory: device.path,
            identity: device.identityConditions, operations: [.write(text(to), to: "sriov_drivers_autoprobe")],
            goals: [.value(path: "sriov_drivers_autoprobe", equals: text(to))],
            undo: [.write(text(from), to: "sriov_drivers_autoprobe")],
            undone: [.value(path: "sriov_drivers_autoprobe", equals: text(from))])
    }

    /// Writing 0 while a VF is open blocks, and readers with it: whoever uses one is looked for first.
    static func objectToRemoval(of existing: [PCIAddress], on snapshot: HostSnapshot, into plan: inout Plan) {
        for address in existing {
            guard let device = snapshot.device(at: address) else { continue }
            plan.warn(of: device)
            plan.refusals += device.uses.map {
                Refusal(device: address.description, by: $0.by.rawValue, detail: $0.detail)
            }
        }
    }

    static func warnOfInterfaces(_ device: Device, into plan: inout Plan) {
        guard !device.interfaces.isEmpty else { return }
        plan.warnings.append(
            "\(device.interfaces.joined(separator: ", ")) on \(device.address) may lose its link for a moment, and its "
                + "driver may allocate its interrupts anew")
    }
}

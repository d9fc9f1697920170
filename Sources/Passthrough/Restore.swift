public import Changes
public import Host
public import PCI

/// Gives devices back: the driver, the override and the interrupt affinities that they had before they were first changed.
///
/// Without a record (another tool bound them, or the machine was rebooted since) a device that a VFIO driver has is freed
/// from its override and offered to the drivers that claim it.
public struct RestoreRequest: Sendable {
    /// What to give back.
    public var devices: [PCIAddress]
    /// What is remembered, by the devices' full addresses.
    public var origins: [Origin]
    /// The vectors of devices with remembered affinities, as they are now.
    public var interrupts: [PCIAddress: [Interrupt]]

    /// Makes a request.
    public init(devices: [PCIAddress], origins: [Origin], interrupts: [PCIAddress: [Interrupt]] = [:]) {
        self.devices = devices
        self.origins = origins
        self.interrupts = interrupts
    }

    /// Decides what is to be done on a host that looks like `snapshot`. No I/O.
    public func plan(on snapshot: HostSnapshot) -> Plan {
        var plan = Plan()
        let known = Dictionary(origins.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        var releases: [Step] = []
        var returns: [Step] = []
        for address in Set(devices).sorted() {
            let origin = known[address.description]
            guard let device = snapshot.device(at: address) else {
                // A virtual function that is gone took its state along.
                if origin != nil { plan.forgets.append(address.description) }
                continue
            }
            if let origin, origin.identity != device.identityText {
                plan.forgets.append(address.description)
                plan.warnings.append(
                    "what is remembered of \(address) belongs to another device (\(origin.identity)): forgotten")
                continue
            }
            let target = target(of: device, origin: origin, warnings: &plan.warnings)
            if device.driver != target.driver { object(to: device, into: &plan) }
            add(device, target, on: snapshot, releases: &releases, returns: &returns, into: &plan)
            if let origin {
                let vectors = interrupts[address] ?? []
                if device.driver != target.driver {
                    plan.forgets.append(address.description)
                    if target.driver != nil { returns += AffinityPlan.restoreLater(device, to: origin.values) }
                } else {
                    returns += AffinityPlan.restore(device, vectors, to: origin.values)
                    // A vector that the driver gave up for now (igb has fewer while it has VFs) may come back.
                    if AffinityPlan.covers(vectors, origin.values) { plan.forgets.append(address.description) }
                }
            }
        }
        plan.steps += releases + returns
        return plan
    }

    private enum Driver: Equatable {
        case named(String)
        case none
        /// Whichever claims the device.
        case claiming
    }

    private struct Target {
        var choice: Driver
        var override: String?
        var driver: String? {
            if case .named(let name) = choice { name } else { nil }
        }
    }

    private func target(of device: Device, origin: Origin?, warnings: inout [String]) -> Target {
        if let origin, let driver = origin.values["driver"] {
            let override = origin.values["driver_override"] ?? noOverride
            return Target(
                choice: driver.isEmpty ? .none : .named(driver), override: override == noOverride ? nil : override)
        }
        // Only affinities are remembered, or nothing is: the driver stays unless it is a VFIO one.
        guard let driver = device.driver, DriverPolicy.isVFIO(driver), origin == nil else {
            return Target(choice: device.driver.map(Driver.named) ?? .none, override: device.driverOverride)
        }
        warnings.append(
            "nothing is remembered of \(device.address): it is offered to the drivers that claim it; addresses, "
                + "interface names and VF settings it had are not known")
        return Target(choice: .claiming, override: nil)
    }

    private func object(to device: Device, into plan: inout Plan) {
        plan.warn(of: device)
        // The firmware's framebuffer keeps a guest from the device's memory; its host driver knows how to end that.
        let isGivenOut = device.driver.map(DriverPolicy.isVFIO) ?? false
        plan.refusals += device.uses.filter { !(isGivenOut && ($0.by == .display || $0.by == .console)) }.map {
            Refusal(device: device.address.description, by: $0.by.rawValue, detail: $0.detail)
        }
    }

    private func add(
        _ device: Device, _ target: Target, on snapshot: HostSnapshot, releases: inout [Step], returns: inout [Step],
        into plan: inout Plan
    ) {
        let moves = device.driver != target.driver || target.choice == .claiming
        if moves, let current = device.driver { releases.append(device.unbindStep(from: current)) }
        if device.driverOverride != target.override { releases.append(device.overrideStep(to: target.override)) }
        guard moves else { return }
        switch target.choice {
        case .none:
            break
        case .named(let driver):
            if !snapshot.drivers.contains(driver), !releases.contains(DriverSteps.load(driver)) {
                releases.insert(DriverSteps.load(driver), at: 0)
            }
            returns.append(device.bindStep(to: driver))
        case .claiming:
            returns.append(
                Step(
                    action: "probe", device: device.address.description, directory: device.path,
                    identity: device.identityConditions,
                    operations: [.write(device.address.description, to: "subsystem/drivers_probe")], goals: [],
                    late: [.exists(path: "driver")]))
        }
    }
}

internal import Changes
internal import Host
internal import PCI

// The smallest changes of a device's driver, each as a step with its guard, its goal and its undo. Every path is relative
// to the device's own directory in sysfs: `driver` and `subsystem` are the kernel's links to its driver and its bus.

/// The text of `driver_override` when there is none.
let noOverride = "(null)"

extension Device {
    /// What tells this device from another one at its address, later: kept with its origin.
    var identityText: String {
        if let physicalFunction, let vfIndex { return "virtual function \(vfIndex) of \(physicalFunction)" }
        let ids = [identity.vendorID, identity.deviceID, identity.subsystemVendorID, identity.subsystemDeviceID]
        return ids.map { hexadecimal($0, width: 4) }.joined(separator: ":")
    }

    /// What is so for this very device and no other.
    var identityConditions: [Condition] {
        if let physicalFunction { return [.link(path: "physfn", name: physicalFunction.description)] }
        return [
            .value(path: "vendor", equals: "0x" + hexadecimal(identity.vendorID, width: 4)),
            .value(path: "device", equals: "0x" + hexadecimal(identity.deviceID, width: 4)),
        ]
    }

    /// What is to be remembered of it before its driver is changed.
    var driverOrigin: Origin {
        Origin(
            key: address.description, identity: identityText,
            values: ["driver": driver ?? "", "driver_override": driverOverride ?? noOverride],
            // On a host driver, with no override, it is as the host wants it: what was remembered before is out of date.
            isPristine: driverOverride == nil && driver.map { !DriverPolicy.isVFIO($0) } == true)
    }

    /// Holds the device for one driver (or, with nil, for none in particular).
    func overrideStep(to driver: String?) -> Step {
        let wanted = driver ?? noOverride
        return Step(
            action: driver == nil ? "clear-driver-override" : "set-driver-override", device: address.description,
            directory: path, identity: identityConditions, operations: [.write(driver ?? "", to: "driver_override")],
            goals: [.value(path: "driver_override", equals: wanted)],
            undo: [.write(driverOverride ?? "", to: "driver_override")],
            undone: [.value(path: "driver_override", equals: driverOverride ?? noOverride)])
    }

    /// Takes the device from its driver.
    ///
    /// Its undo gives the override back first: a driver's `bind` refuses a device that is held for another.
    func unbindStep(from driver: String) -> Step {
        Step(
            action: "unbind", device: address.description, directory: path,
            identity: identityConditions, guards: [.link(path: "driver", name: driver)],
            operations: [.write(address.description, to: "driver/unbind")],
            goals: [.link(path: "driver", name: nil)],
            undo: [
                .write(driverOverride ?? "", to: "driver_override"),
                .write(address.description, to: "subsystem/drivers/\(driver)/bind"),
            ],
            undone: [.link(path: "driver", name: driver)])
    }

    /// Gives the device, which has no driver, to one.
    ///
    /// The driver's own `bind` and not `drivers_probe`: that one answers success when no driver took the device, and
    /// EINVAL whatever a driver's probe said.
    func bindStep(to driver: String) -> Step {
        DriverSteps.bind(address, at: path, identity: identityConditions, to: driver)
    }
}

extension Plan {
    /// Says what of a device's users could not be seen, and what is on its disks: no reason to refuse, one to think twice.
    mutating func warn(of device: Device) {
        warnings += (device.unseen + device.signatures.map(\.description)).map { "\(device.address): \($0)" }
    }
}

enum DriverSteps {
    static func bind(_ address: PCIAddress, at path: String, identity: [Condition], to driver: String) -> Step {
        Step(
            action: "bind", device: address.description, directory: path,
            identity: identity, guards: [.link(path: "driver", name: nil)],
            operations: [.write(address.description, to: "subsystem/drivers/\(driver)/bind")],
            goals: [.link(path: "driver", name: driver)],
            undo: [.write(address.description, to: "driver/unbind")],
            undone: [.link(path: "driver", name: nil)])
    }

    /// Loads a driver's module, when the driver is not there. Left loaded on failure: an unused module changes nothing.
    static func load(_ driver: String) -> Step {
        Step(
            action: "load-module", device: nil, directory: "/sys/bus/pci", operations: [.module(driver)],
            goals: [.exists(path: "drivers/\(driver)")], settleSeconds: 2)
    }
}

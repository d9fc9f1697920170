public import Changes
public import Host
public import HostAccess
public import PCI

/// Puts a device's interrupt vectors on CPUs.
public struct SetAffinity: Hashable, Sendable {
    /// Whose vectors.
    public var device: PCIAddress
    /// The CPUs each of them may go to.
    public var cpus: NumberList
    /// One vector, by its index; nil for all.
    public var vector: Int?

    /// Makes a request.
    public init(device: PCIAddress, cpus: NumberList, vector: Int? = nil) {
        self.device = device
        self.cpus = cpus
        self.vector = vector
    }

    /// Decides what is to be done on a host that looks like `snapshot`, with the device's vectors as they are. No I/O.
    public func plan(on snapshot: HostSnapshot, interrupts: InterruptSnapshot) -> Plan {
        var plan = Plan()
        guard let device = snapshot.device(at: device) else {
            plan.obstacles.append("\(device) is not there any more")
            return plan
        }
        objectToCPUs(interrupts, into: &plan)
        let chosen = interrupts.interrupts.filter { vector == nil || $0.vector == vector }
        if chosen.isEmpty {
            plan.obstacles.append(
                interrupts.interrupts.isEmpty
                    ? "\(device.address) has no interrupts now: its driver (\(device.driver ?? "none")) enabled none"
                    : "\(device.address) has no vector \(vector ?? 0): it has \(interrupts.interrupts.count), from 0")
        }
        var values: [String: String] = [:]
        let unused = chosen.filter { $0.affinity == nil }
        if !unused.isEmpty {
            plan.obstacles.append(
                "the kernel offers no affinity for vectors \(NumberList(unused.map(\.vector))) of \(device.address), which have "
                    + "no handler yet: bring up what uses them first"
                    + (device.interfaces.first.map { " (ip link set \($0) up)" } ?? ""))
        }
        for interrupt in chosen {
            guard let before = interrupt.affinity else { continue }
            if before != cpus {
                values[AffinityPlan.key(interrupt)] = before.description
                plan.steps.append(AffinityPlan.step(device, interrupt, from: before, to: cpus))
            }
        }
        if !values.isEmpty {
            plan.origins = [Origin(key: device.address.description, identity: device.identityText, values: values)]
        }
        return plan
    }

    private func objectToCPUs(_ interrupts: InterruptSnapshot, into plan: inout Plan) {
        if !cpus.isSubset(of: interrupts.possibleCPUs) {
            plan.obstacles.append(
                "CPU list \(cpus) goes beyond this host's CPUs (\(interrupts.possibleCPUs)); nothing was changed")
        } else if !cpus.numbers.contains(where: { interrupts.onlineCPUs.contains($0) }) {
            plan.obstacles.append("no CPU of \(cpus) is online (\(interrupts.onlineCPUs) are): bring one online first")
        }
    }
}

enum AffinityPlan {
    /// Vectors are remembered by kind and index: Linux's numbers change whenever a driver allocates anew.
    static func key(_ interrupt: Interrupt) -> String { "affinity.\(interrupt.kind.rawValue).\(interrupt.vector)" }

    static func step(_ device: Device, _ interrupt: Interrupt, from before: NumberList, to cpus: NumberList) -> Step {
        let path = "/proc/irq/\(interrupt.irq)"
        return Step(
            action: "set-affinity", device: device.address.description, directory: device.path,
            guards: device.identityGuards
                + (interrupt.kind == .intx ? [] : [.exists(path: "msi_irqs/\(interrupt.irq)")]),
            operations: [.write(cpus.description, to: path + "/smp_affinity_list")],
            goals: [.value(path: path + "/smp_affinity_list", equals: cpus.description)],
            late: [.within(path: path + "/effective_affinity_list", list: cpus)],
            undo: [.write(before.description, to: path + "/smp_affinity_list")],
            undone: [.value(path: path + "/smp_affinity_list", equals: before.description)],
            meaningOfEPERM:
                "the kernel places vector \(interrupt.vector) itself, a managed interrupt, and lets nobody move it; "
                + "--vector names others one by one")
    }

    /// Steps that give vectors the affinity they had; one that is there no more needs none.
    static func restore(_ device: Device, _ interrupts: [Interrupt], to values: [String: String]) -> [Step] {
        interrupts.compactMap { interrupt in
            guard let text = values[key(interrupt)], let before = NumberList(text), let now = interrupt.affinity,
                now != before
            else { return nil }
            return step(device, interrupt, from: now, to: before)
        }
    }
}

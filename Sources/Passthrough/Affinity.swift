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
        if !unused.isEmpty, unused.count == chosen.count {
            plan.obstacles.append(
                "the kernel offers no affinity for vectors \(NumberList(unused.map(\.vector))) of \(device.address), which have "
                    + "no handler yet: bring up what uses them first"
                    + (device.interfaces.first.map { " (ip link set \($0) up)" } ?? ""))
        }
        for interrupt in chosen {
            guard let before = interrupt.affinity else {
                let place = interrupts.interrupts.firstIndex(of: interrupt) ?? interrupt.vector
                plan.steps.append(AffinityPlan.laterStep(device, place: place, to: cpus))
                continue
            }
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
            identity: device.identityConditions,
            guards: (interrupt.kind == .intx ? [] : [.exists(path: "msi_irqs/\(interrupt.irq)")]),
            operations: [.write(cpus.description, to: path + "/smp_affinity_list")],
            goals: [.value(path: path + "/smp_affinity_list", equals: cpus.description)],
            late: [.within(path: path + "/effective_affinity_list", list: cpus)],
            undo: [.write(before.description, to: path + "/smp_affinity_list")],
            undone: [.value(path: path + "/smp_affinity_list", equals: before.description)],
            meaningOfEPERM:
                "the kernel places vector \(interrupt.vector) itself, a managed interrupt, and lets nobody move it; "
                + "--vector names others one by one")
    }

    /// The same for a vector without a handler, whose affinity the kernel offers only once it has one: pending until then.
    static func laterStep(_ device: Device, place: Int, to cpus: NumberList) -> Step {
        let path = "/proc/irq/\(entry(place, of: "msi_irqs"))/smp_affinity_list"
        return Step(
            action: "set-affinity", device: device.address.description, directory: device.path,
            identity: device.identityConditions, operations: [.write(cpus.description, to: path)],
            goals: [.value(path: path, equals: cpus.description)])
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

    /// The same for the vectors that a driver allocates when it gets the device back; those it has not by then are pending.
    static func restoreLater(_ device: Device, to values: [String: String]) -> [Step] {
        values.sorted { $0.key < $1.key }.compactMap { key, text in
            let words = key.split(separator: ".")
            guard words.count == 3, words[0] == "affinity", words[1] != "intx", let place = Int(words[2]),
                let cpus = NumberList(text)
            else { return nil }
            return laterStep(device, place: place, to: cpus)
        }
    }

    /// Whether every affinity in `values` belongs to a vector that is there, and so can be given back.
    static func covers(_ interrupts: [Interrupt], _ values: [String: String]) -> Bool {
        let present = Set(interrupts.map(key))
        return values.keys.allSatisfy { !$0.hasPrefix("affinity.") || present.contains($0) }
    }
}

/// The affinities that somebody chose for a device's vectors, to be kept when its driver allocates them anew.
struct ChosenAffinities {
    /// By the vector's place among the device's numbers.
    private var lists: [(place: Int, cpus: NumberList)]
    private let device: Device
    /// What is to be remembered of them, in case a vector is not there for a while.
    let origin: Origin?
    /// Every vector's affinity as it is, by its key.
    private let current: [String: String]

    /// - Parameters:
    ///   - interrupts: the vectors as they are.
    ///   - remembered: what is remembered of the device: vectors that are not there now have their affinity from it.
    init(of device: Device, _ interrupts: InterruptSnapshot?, remembered: Origin?) {
        self.device = device
        let vectors = interrupts?.interrupts.filter { $0.kind != .intx } ?? []
        lists = vectors.enumerated().compactMap { place, vector in
            guard let cpus = vector.affinity, let online = interrupts?.onlineCPUs, !online.isSubset(of: cpus) else {
                return nil
            }
            return (place, cpus)
        }
        for (key, text) in (remembered?.values ?? [:]).sorted(by: { $0.key < $1.key }) {
            let words = key.split(separator: ".")
            guard words.count == 3, words[0] == "affinity", let place = Int(words[2]), place >= vectors.count,
                let cpus = NumberList(text)
            else { continue }
            lists.append((place, cpus))
        }
        var values: [String: String] = [:]
        for (place, cpus) in lists where place < vectors.count {
            values[AffinityPlan.key(vectors[place])] = cpus.description
        }
        origin =
            values.isEmpty
            ? nil : Origin(key: device.address.description, identity: device.identityText, values: values)
        current = Dictionary(vectors.map { (AffinityPlan.key($0), $0.affinity?.description ?? "") }) { first, _ in first
        }
    }

    /// Whether everything that `remembered` holds is so once the steps are made, and need not be remembered any longer.
    func settle(_ remembered: Origin) -> Bool {
        remembered.values.allSatisfy { key, value in key.hasPrefix("affinity.") && (current[key] ?? value) == value }
    }

    private func path(_ place: Int, _ file: String) -> String {
        "/proc/irq/\(entry(place, of: "msi_irqs"))/\(file)"
    }

    /// Steps that give the affinities to the vectors that are there by then.
    var steps: [Step] {
        lists.map { place, cpus in
            Step(
                action: "keep-affinity", device: device.address.description, directory: device.path,
                identity: device.identityConditions,
                operations: [.write(cpus.description, to: path(place, "smp_affinity_list"))],
                goals: [.value(path: path(place, "smp_affinity_list"), equals: cpus.description)],
                late: [.within(path: path(place, "effective_affinity_list"), list: cpus)])
        }
    }

    /// The same as part of the undo of a step that makes the driver allocate its vectors anew.
    func kept(by step: Step) -> Step {
        var step = step
        for (place, cpus) in lists {
            step.undo.append(.write(cpus.description, to: path(place, "smp_affinity_list")))
            step.undone.append(.value(path: path(place, "smp_affinity_list"), equals: cpus.description))
        }
        return step
    }
}

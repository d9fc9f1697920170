public import HostAccess
internal import PCI

/// One interrupt vector of a device.
public struct Interrupt: Hashable, Sendable, Codable {
    /// How it is signalled.
    public enum Kind: String, Hashable, Sendable, Codable { case intx, msi, msix }

    /// Linux's number for it. It changes whenever the driver allocates its vectors anew: never remember it.
    public var irq: Int
    /// The name its handler gave it ("eth0-TxRx-0"); empty without a handler.
    public var name: String
    /// How it is signalled.
    public var kind: Kind
    /// Its index in the device's MSI or MSI-X table; 0 for INTx.
    public var vector: Int
    /// The CPUs it is allowed on (`/proc/irq/N/smp_affinity_list`); nil when that cannot be read.
    public var affinity: NumberList?
    /// The CPUs it is really sent to (`effective_affinity_list`); empty before it was first started.
    public var effective: NumberList?

    /// Makes a vector of what was read.
    public init(irq: Int, name: String, kind: Kind, vector: Int, affinity: NumberList?, effective: NumberList?) {
        self.irq = irq
        self.name = name
        self.kind = kind
        self.vector = vector
        self.affinity = affinity
        self.effective = effective
    }
}

/// The vectors of one device and the CPUs they could go to.
public struct InterruptSnapshot: Hashable, Sendable {
    /// By vector.
    public var interrupts: [Interrupt]
    /// The host's CPUs that are online.
    public var onlineCPUs: NumberList
    /// The host's CPUs that may ever be online.
    public var possibleCPUs: NumberList

    /// Makes a snapshot of what was read.
    public init(interrupts: [Interrupt], onlineCPUs: NumberList, possibleCPUs: NumberList) {
        self.interrupts = interrupts
        self.onlineCPUs = onlineCPUs
        self.possibleCPUs = possibleCPUs
    }

    /// Reads a device's vectors: the numbers in `msi_irqs`, or the INTx line in `irq` when there are none.
    ///
    /// A vector's index is the `hwirq` of /sys/kernel/irq/N where the kernel (6.2 and newer) gives each device an interrupt
    /// domain of its own; elsewhere it is the position among the device's numbers, which drivers allocate in order.
    public static func read(from host: any HostAccess, of device: Device) -> InterruptSnapshot {
        let cpus = "/sys/devices/system/cpu"
        let possible = host.optionalText("\(cpus)/possible").flatMap { NumberList($0) } ?? NumberList([])
        let online = host.optionalText("\(cpus)/online").flatMap { NumberList($0) } ?? possible
        return InterruptSnapshot(
            interrupts: interrupts(of: device, host), onlineCPUs: online, possibleCPUs: possible)
    }

    private static func interrupts(of device: Device, _ host: any HostAccess) -> [Interrupt] {
        var numbers: [Int] = []
        do throws(HostAccessError) {
            numbers = try host.entries(device.path + "/msi_irqs").compactMap { Int($0) }.sorted()
        } catch {
            // No such directory: no message-signalled interrupts are in use.
        }
        if numbers.isEmpty {
            guard let line = host.optionalText(device.path + "/irq").flatMap({ Int($0) }), line > 0,
                host.exists("/proc/irq/\(line)/smp_affinity_list")
            else { return [] }
            return [interrupt(line, .intx, vector: 0, host)]
        }
        let interrupts = numbers.enumerated().map { position, number in
            let kind: Interrupt.Kind = host.optionalText("\(device.path)/msi_irqs/\(number)") == "msix" ? .msix : .msi
            let chip = host.optionalText("/sys/kernel/irq/\(number)/chip_name") ?? ""
            let index = host.optionalText("/sys/kernel/irq/\(number)/hwirq").flatMap { Int($0) }
            let ownDomain = chip.hasSuffix(device.address.description)
            return interrupt(number, kind, vector: ownDomain ? index ?? position : position, host)
        }
        return interrupts.sorted { $0.vector < $1.vector }
    }

    private static func interrupt(_ number: Int, _ kind: Interrupt.Kind, vector: Int, _ host: any HostAccess)
        -> Interrupt
    {
        func list(_ name: String) -> NumberList? {
            host.optionalText("/proc/irq/\(number)/\(name)").flatMap { NumberList($0) }
        }
        return Interrupt(
            irq: number, name: host.optionalText("/sys/kernel/irq/\(number)/actions") ?? "", kind: kind, vector: vector,
            affinity: list("smp_affinity_list"), effective: list("effective_affinity_list"))
    }
}

internal import HostAccess
internal import PCI
internal import SystemPackage

// Interrupt affinity: /proc/irq/N/smp_affinity_list.
extension SimulatedKernel {
    /// A CPU that the kernel was not built for is ERANGE, only offline CPUs or no list at all EINVAL; else the vector goes
    /// to the first CPU of the list that is online.
    mutating func setAffinity(at path: String, to value: String) throws(Errno) {
        guard let cpus = NumberList(trimmed(Array(value.utf8))), let last = cpus.ranges.last?.upperBound else {
            throw .invalidArgument
        }
        let possible = tree.text("/sys/devices/system/cpu/possible").flatMap { NumberList($0) } ?? NumberList([0])
        let online = tree.text("/sys/devices/system/cpu/online").flatMap { NumberList($0) } ?? possible
        guard last <= possible.ranges.last?.upperBound ?? 0 else { throw .outOfRange }
        guard let target = cpus.numbers.first(where: { online.contains($0) }) else { throw .invalidArgument }
        tree.put(cpus.description, at: path + "/smp_affinity_list")
        tree.put("\(target)", at: path + "/effective_affinity_list")
    }

    mutating func replaceInterrupts(of device: String, with numbers: [Int], affinity: String) {
        guard let path = PCIAddress(device).flatMap({ devices[$0] }) else { return }
        for number in tree.entries("msi_irqs", from: path) {
            tree.remove("/proc/irq/" + number)
            tree.remove("/sys/kernel/irq/" + number)
        }
        tree.remove(path + "/msi_irqs")
        for number in numbers {
            tree.put("msix", at: "\(path)/msi_irqs/\(number)")
            tree.put(affinity, at: "/proc/irq/\(number)/smp_affinity_list")
            tree.put("0", at: "/proc/irq/\(number)/effective_affinity_list")
        }
    }
}

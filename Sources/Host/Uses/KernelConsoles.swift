internal import HostAccess
internal import PCI

/// The serial lines and virtio ports that the kernel's own messages go to: `/sys/class/tty/console/active`.
struct KernelConsoles {
    /// By function.
    private(set) var byFunction: [PCIAddress: [Use]] = [:]

    init(on host: any HostAccess) {
        let active = host.optionalText("/sys/class/tty/console/active") ?? ""
        for name in active.split(separator: " ") {
            do {
                let target = try host.readLink("/sys/class/tty/\(name)")
                guard let function = ClassDevices.function(of: target) else { continue }
                let use = Use(
                    by: .console, detail: "the kernel's console is on \(name) (/sys/class/tty/console/active)")
                byFunction[function, default: []].append(use)
            } catch {
                continue
            }
        }
    }
}

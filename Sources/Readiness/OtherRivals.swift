internal import PCI

/// The operators and plugins of a Kubernetes node that own its virtual functions.
struct KubernetesRivals {
    private(set) var rivals: [Rival] = []

    init(files: HostFiles) {
        // The SR-IOV network operator keeps what it applied here, one file a physical function.
        let operated = "/etc/sriov-operator"
        if files.exists(operated) {
            let functions = files.names(in: operated + "/pci").compactMap { PCIAddress($0) }
            rivals.append(
                Rival(
                    subject: .vfOwner,
                    evidence: "the SR-IOV network operator sets the virtual functions of this node"
                        + (functions.isEmpty ? "" : ", of \(list(functions.map(\.description)))") + " (\(operated))",
                    cure: "change its SriovNetworkNodePolicy, or take the node out of its selector",
                    devices: Set(functions)))
        }
        let plugin = "/etc/pcidp/config.json"
        if files.exists(plugin) {
            rivals.append(
                Rival(
                    subject: .vfOwner,
                    evidence: "the SR-IOV device plugin gives virtual functions of this node to pods (\(plugin))",
                    cure: "leave out of its resources what is to go to a guest"))
        }
    }
}

/// irqbalance, which moves interrupts between CPUs every ten seconds.
struct IRQBalance {
    private(set) var rivals: [Rival] = []

    init(files: HostFiles) {
        // Its socket has its pid in the name, and stays behind when it is killed: a process must be there too.
        let directory = "/run/irqbalance"
        for name in files.names(in: directory) where name.hasPrefix("irqbalance") && name.hasSuffix(".sock") {
            let number = name.dropFirst("irqbalance".count).dropLast(".sock".count)
            guard let pid = Int32(number), files.text("/proc/\(pid)/comm").content == "irqbalance" else { continue }
            rivals.append(
                Rival(
                    subject: .interruptOwner,
                    evidence:
                        "irqbalance runs (process \(pid), \(directory)/\(name)) and moves interrupts that vfioctl irq "
                        + "set has placed",
                    cure: "systemctl disable --now irqbalance, or ban the interrupts (--banirq=) in its settings"))
        }
    }
}

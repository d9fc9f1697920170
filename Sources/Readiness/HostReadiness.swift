public import Host
public import HostAccess

extension Readiness {
    /// Checks a host, and the devices named; nothing is changed, opened or loaded.
    ///
    /// - Parameters:
    ///   - host: the machine, or a capture of one.
    ///   - snapshot: what was read of it.
    ///   - devices: devices to check beyond the host itself; together they are taken to go to one guest.
    public static func check(_ host: any HostAccess, _ snapshot: HostSnapshot, devices: [Device] = []) -> Readiness {
        let checks = HostReadiness(host: host, snapshot: snapshot)
        let findings = [
            checks.iommu, checks.groups, checks.vfioPCI, checks.iommufd, checks.container, checks.cdev,
            checks.interruptRemapping, checks.access, checks.memlock,
        ]
        return Readiness(
            findings: findings + devices.flatMap { DeviceReadiness($0, among: devices, snapshot, host).findings })
    }
}

/// The findings about a host as a whole.
struct HostReadiness {
    let host: any HostAccess
    let snapshot: HostSnapshot

    // MARK: the IOMMU

    var iommu: Finding {
        let units = names(in: "/sys/class/iommu")
        if !units.isEmpty {
            return Finding(.iommu, .ok, "the kernel uses \(list(units)) (/sys/class/iommu)")
        }
        if !snapshot.groups.isEmpty {
            return Finding(.iommu, .ok, "devices are in IOMMU groups (/sys/kernel/iommu_groups)")
        }
        let off = ["intel_iommu=off", "amd_iommu=off", "iommu=off"].filter(commandLine.contains)
        if let option = off.first {
            return Finding(
                .iommu, .failure, "no IOMMU is in use: the kernel was started with \(option) (/proc/cmdline)",
                cure: "take \(option) off the kernel's command line and start the machine again")
        }
        return Finding(
            .iommu, .failure, "no IOMMU is in use: /sys/class/iommu is empty" + firmware.evidence, cure: firmware.cure)
    }

    /// What the firmware offers, by the tables that it handed to the kernel.
    private var firmware: (evidence: String, cure: String) {
        let tables = "/sys/firmware/acpi/tables"
        if host.exists(tables + "/DMAR") {
            return (
                ", though the firmware offers VT-d (\(tables)/DMAR)",
                "add intel_iommu=on to the kernel's command line and start the machine again"
            )
        }
        if host.exists(tables + "/IVRS") {
            return (
                ", though the firmware offers AMD-Vi (\(tables)/IVRS)",
                "look for AMD-Vi in the kernel log, and for iommu options on its command line"
            )
        }
        let cpu = host.optionalText("/proc/cpuinfo") ?? ""
        if cpu.contains("GenuineIntel") {
            return ("", "turn VT-d on in the firmware's setup, and start the kernel with intel_iommu=on")
        }
        if cpu.contains("AuthenticAMD") {
            return ("", "turn the IOMMU (AMD-Vi) on in the firmware's setup; the kernel uses it by itself")
        }
        return ("", "turn the IOMMU (VT-d, AMD-Vi, SMMU) on in the firmware's setup")
    }

    var groups: Finding {
        let count = snapshot.groups.count
        guard count == 0 else {
            return Finding(.groups, .ok, "\(count) IOMMU \(count == 1 ? "group" : "groups") (/sys/kernel/iommu_groups)")
        }
        return Finding(
            .groups, .failure, "no IOMMU groups (/sys/kernel/iommu_groups is empty), so no device can be given out",
            cure: "turn the IOMMU on, as the finding about it says")
    }

    var interruptRemapping: Finding {
        let interrupts = host.optionalText("/proc/interrupts")
        if let interrupts, interrupts.contains("IR-") {
            return Finding(.interruptRemapping, .ok, "interrupts go through the IOMMU (IR- in /proc/interrupts)")
        }
        if let interrupts, interrupts.contains("ITS-") {
            return Finding(.interruptRemapping, .ok, "interrupts go through the GIC's ITS (/proc/interrupts)")
        }
        for module in ["vfio_iommu_type1", "iommufd"] {
            let path = "/sys/module/\(module)/parameters/allow_unsafe_interrupts"
            guard host.optionalText(path) == "Y" else { continue }
            return Finding(
                .interruptRemapping, .warning,
                "there is no interrupt remapping, and VFIO was told to do without (\(path)): a guest can forge interrupts",
                cure: "turn interrupt remapping on in the firmware's setup, and unsafe interrupts off")
        }
        guard interrupts != nil else {
            return Finding(.interruptRemapping, .note, "not known: /proc/interrupts cannot be read")
        }
        return Finding(
            .interruptRemapping, .failure,
            "no interrupt controller remaps interrupts (no IR- in /proc/interrupts): VFIO "
                + "refuses devices, since a guest could forge interrupts",
            cure:
                "turn on interrupt remapping (x2APIC, VT-d) in the firmware's setup, and do not start the kernel with "
                + "intremap=off; only where every guest is trusted, set vfio_iommu_type1.allow_unsafe_interrupts=1")
    }

    // MARK: VFIO

    var vfioPCI: Finding {
        if snapshot.drivers.contains("vfio-pci") {
            return Finding(.vfioPCI, .ok, "the driver is there (/sys/bus/pci/drivers/vfio-pci)")
        }
        switch KernelModule.find("vfio-pci", on: host) {
        case .present(let place): return Finding(.vfioPCI, .ok, "the driver is in the kernel (\(place))")
        case .loadable(let place): return Finding(.vfioPCI, .ok, "the driver will be loaded when needed (\(place))")
        case .absent(let place):
            return Finding(
                .vfioPCI, .failure, "this kernel has no vfio-pci (it is not in \(place))",
                cure: "start a kernel with CONFIG_VFIO_PCI; distributions' cloud kernels often lack it")
        case .unknown:
            return Finding(
                .vfioPCI, .failure, "vfio-pci is not loaded, and this kernel's modules are not there (/lib/modules)",
                cure: "install the modules of the running kernel, or load vfio-pci by hand")
        }
    }

    /// Whether iommufd can be used, with the evidence.
    private var iommufdState: KernelModule {
        host.exists("/dev/iommu") ? .present(where: "/dev/iommu") : KernelModule.find("iommufd", on: host)
    }

    var iommufd: Finding {
        switch iommufdState {
        case .present(let place): return Finding(.iommufd, .ok, "iommufd is there (\(place))")
        case .loadable(let place): return Finding(.iommufd, .ok, "iommufd can be loaded (\(place))")
        case .absent(let place):
            return Finding(
                .iommufd, .note, "this kernel has no iommufd (it is not in \(place)): groups and containers are used")
        case .unknown:
            return Finding(.iommufd, .note, "iommufd is not loaded, and whether it can be is not known (/lib/modules)")
        }
    }

    var container: Finding {
        var state = KernelModule.find("vfio_iommu_type1", on: host)
        if case .present = state {
        } else if host.exists("/sys/kernel/iommu_groups"), host.exists("/dev/vfio/vfio") {
            // The node is there before its driver: type1 is loaded at the first open.
            if case .unknown = state { state = .present(where: "/dev/vfio/vfio") }
        }
        switch state {
        case .present(let place): return Finding(.container, .ok, "VFIO's containers are there (\(place))")
        case .loadable(let place): return Finding(.container, .ok, "VFIO's containers can be loaded (\(place))")
        case .absent, .unknown:
            var level = Finding.Level.failure
            switch iommufdState {
            case .present, .loadable: level = .note
            case .absent, .unknown: break
            }
            return Finding(
                .container, level, "vfio_iommu_type1 is not loaded, and not among this kernel's modules",
                cure: level == .note
                    ? nil : "start a kernel with CONFIG_IOMMUFD and CONFIG_VFIO_DEVICE_CDEV, or CONFIG_VFIO_IOMMU_TYPE1"
            )
        }
    }

    var cdev: Finding {
        // The kernel reserves the numbers of these nodes when VFIO is loaded with CONFIG_VFIO_DEVICE_CDEV.
        if let devices = host.optionalText("/proc/devices"),
            devices.split(separator: "\n").contains(where: { $0.hasSuffix(" vfio-dev") })
        {
            return Finding(
                .cdev, .ok, "each device bound to VFIO has a node in /dev/vfio/devices (vfio-dev in /proc/devices)")
        }
        if host.exists("/sys/module/vfio") {
            return Finding(
                .cdev, .note,
                "this kernel gives devices no nodes of their own (no vfio-dev in /proc/devices): the iommufd "
                    + "backend cannot be used",
                cure: "start a kernel (6.6 or newer) with CONFIG_VFIO_DEVICE_CDEV to use it")
        }
        if let release = host.optionalText("/proc/sys/kernel/osrelease"), !release.contains("/"),
            let configuration = host.optionalText("/boot/config-" + release)
        {
            let isSet = configuration.split(separator: "\n").contains("CONFIG_VFIO_DEVICE_CDEV=y")
            return Finding(
                .cdev, isSet ? .ok : .note,
                "/boot/config-\(release) has \(isSet ? "" : "no ")CONFIG_VFIO_DEVICE_CDEV=y"
                    + (isSet ? "" : ": the iommufd backend cannot be used"))
        }
        return Finding(.cdev, .note, "not known before VFIO is loaded")
    }

    // MARK: this process

    var access: Finding {
        let nodes = ["/dev/vfio/vfio", "/dev/iommu"]
        let answers = nodes.map { (node: $0, may: host.mayOpen($0)) }
        let refused = answers.filter { $0.may == false }.map(\.node)
        if !refused.isEmpty {
            return Finding(
                .access, .warning, "this user may not open \(list(refused))",
                cure: "run as root, or let a udev rule give the nodes to a group that this user is in")
        }
        let allowed = answers.filter { $0.may == true }.map(\.node)
        if !allowed.isEmpty { return Finding(.access, .ok, "this user may open \(list(allowed))") }
        return Finding(
            .access, .note,
            "neither \(nodes[0]) nor \(nodes[1]) can be tried here: VFIO is not loaded yet, or this is a capture")
    }

    var memlock: Finding {
        // CAP_IPC_LOCK is capability 14.
        let capabilities = statusField("CapEff").flatMap { UInt64($0, radix: 16) }
        if let capabilities, capabilities & 1 << 14 != 0 {
            return Finding(
                .memlock, .ok, "this process may pin any amount of memory (CAP_IPC_LOCK in /proc/self/status)")
        }
        guard let limit = memlockLimit else {
            return Finding(.memlock, .note, "not known: /proc/self/limits cannot be read")
        }
        guard let bytes = UInt64(limit) else {
            return Finding(.memlock, .ok, "this process may pin any amount of memory (/proc/self/limits: \(limit))")
        }
        return Finding(
            .memlock, .warning,
            "this process may pin \(bytes >> 20) MiB (Max locked memory in /proc/self/limits); a guest needs all of its "
                + "memory pinned, and a little more",
            cure:
                "raise it (ulimit -l, or LimitMEMLOCK= of the service) above the guest's memory; vfioctl run --user does"
        )
    }

    private var memlockLimit: String? {
        let label = "Max locked memory"
        return host.optionalText("/proc/self/limits")?.split(separator: "\n").first { $0.hasPrefix(label) }
            .flatMap { $0.dropFirst(label.count).split(separator: " ").first }.map(String.init)
    }

    private func statusField(_ name: String) -> String? {
        host.optionalText("/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            .map { trimmed(Array($0.utf8.dropFirst(name.utf8.count + 1))) }
    }

    // MARK: reading

    private var commandLine: [String] {
        host.optionalText("/proc/cmdline")?.split(separator: " ").map(String.init) ?? []
    }

    private func names(in path: String) -> [String] {
        do { return try host.entries(path).sorted() } catch { return [] }
    }
}

/// `a, b and c`.
func list(_ items: [String]) -> String {
    guard items.count > 1 else { return items.first ?? "" }
    return items.dropLast().joined(separator: ", ") + " and " + items[items.count - 1]
}

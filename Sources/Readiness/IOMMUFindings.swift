internal import Host

/// The findings about the IOMMU: whether it is on, how it translates, what it does with interrupts.
struct IOMMUFindings {
    let files: HostFiles
    let snapshot: HostSnapshot

    var findings: [Finding] {
        [iommu, groups, translation, interruptRemapping, PostedInterrupts(files: files).finding].compactMap(\.self)
    }

    // MARK: present and on

    private var iommu: Finding {
        let units = files.names(in: "/sys/class/iommu")
        if !units.isEmpty { return Finding(.iommu, .ok, "the kernel uses \(list(units)) (/sys/class/iommu)") }
        if !snapshot.groups.isEmpty {
            return Finding(.iommu, .ok, "devices are in IOMMU groups (/sys/kernel/iommu_groups)")
        }
        for option in ["intel_iommu", "amd_iommu", "iommu"] where files.bootValues(of: option).contains("off") {
            return Finding(
                .iommu, .failure, "no IOMMU is in use: the kernel was started with \(option)=off (/proc/cmdline)",
                cure: "take \(option)=off off the kernel's command line and start the machine again")
        }
        let firmware = firmware
        return Finding(
            .iommu, .failure, "no IOMMU is in use: /sys/class/iommu is empty" + firmware.evidence, cure: firmware.cure)
    }

    /// What the firmware offers, and what is to be done about it: by maker.
    private var firmware: (evidence: String, cure: String) {
        if let table = Platform.firmwareTable(on: files) { return offered(table.platform, table.path) }
        let cpuinfo = files.text("/proc/cpuinfo", limit: 16 << 20).content ?? ""
        if Platform.isGuest(cpuinfo) {
            return (
                ", and this machine is itself a guest (hypervisor in /proc/cpuinfo)",
                "have its host give it a virtual IOMMU (QEMU: -device intel-iommu,intremap=on, or virtio-iommu)"
            )
        }
        let evidence = ", and the firmware offers none (no DMAR, IVRS or IORT in /sys/firmware/acpi/tables)"
        switch Platform.ofCPU(cpuinfo) {
        case .intel:
            return (evidence, "turn VT-d on in the firmware's setup, and start the kernel with intel_iommu=on")
        case .amd:
            return (evidence, "turn the IOMMU (AMD-Vi) on in the firmware's setup; the kernel uses it by itself")
        case .arm:
            return (evidence, "turn the SMMU on in the firmware's setup, and use a kernel with CONFIG_ARM_SMMU_V3")
        case .unknown:
            return (evidence, "turn the IOMMU (VT-d, AMD-Vi, SMMU) on in the firmware's setup")
        }
    }

    private func offered(_ platform: Platform, _ table: String) -> (evidence: String, cure: String) {
        switch platform {
        case .intel where files.bootValues(of: "intel_iommu").contains("on"):
            (
                ", though the firmware offers VT-d (\(table)) and the kernel was started with intel_iommu=on (/proc/cmdline)",
                "see what the kernel says of it (dmesg | grep -i dmar), and update the firmware"
            )
        case .intel:
            (
                ", though the firmware offers VT-d (\(table))",
                "add intel_iommu=on to the kernel's command line and start the machine again"
            )
        case .amd:
            (
                ", though the firmware offers AMD-Vi (\(table))",
                "look for AMD-Vi in the kernel log, and for iommu options on its command line"
            )
        case .arm, .unknown:
            (
                ", though the firmware describes an SMMU (\(table))",
                "look for arm-smmu in the kernel log; the kernel needs CONFIG_ARM_SMMU_V3"
            )
        }
    }

    private var groups: Finding {
        let count = snapshot.groups.count
        guard count == 0 else {
            return Finding(.groups, .ok, "\(counted(count, "IOMMU group")) (/sys/kernel/iommu_groups)")
        }
        return Finding(
            .groups, .failure, "no IOMMU groups (/sys/kernel/iommu_groups is empty), so no device can be given out",
            cure: "turn the IOMMU on, as the finding about it says")
    }

    // MARK: how it translates

    /// The default domain of each group: `DMA`, `DMA-FQ` or `identity`
    /// (Documentation/ABI/testing/sysfs-kernel-iommu_groups).
    private var translation: Finding? {
        guard !snapshot.groups.isEmpty else { return nil }
        let place = "/sys/kernel/iommu_groups/*/type"
        var types: [String: Int] = [:]
        for group in snapshot.groups.prefix(8192) {
            guard let type = files.text("/sys/kernel/iommu_groups/\(group.id)/type").content, !type.isEmpty else {
                continue
            }
            types[type, default: 0] += 1
        }
        guard !types.isEmpty else {
            return Finding(
                .translation, .note, "not known: this kernel (before 5.11), or this capture, has no \(place)")
        }
        let seen = list(types.sorted { $0.key < $1.key }.map { "\(counted($0.value, "group")) \($0.key)" })
        let guests = "a guest's devices are translated by tables of their own either way"
        guard let identity = types["identity"] else {
            return Finding(
                .translation, .ok,
                "the DMA of host drivers is translated too: \(seen) (\(place)); \(guests), and iommu=pt would spare the "
                    + "host the cost")
        }
        let everywhere = identity == types.values.reduce(0, +)
        let option = ["iommu=pt", "iommu.passthrough=1"].first(where: files.commandLine.contains)
        return Finding(
            .translation, .ok,
            "the DMA of \(everywhere ? "host drivers" : "some host drivers") is not translated: \(seen) (\(place)"
                + (option.map { ", \($0) in /proc/cmdline" } ?? "") + "); \(guests)")
    }

    // MARK: interrupts

    private var interruptRemapping: Finding {
        let answer = files.text("/proc/interrupts", limit: 16 << 20)
        if let interrupts = answer.content {
            if interrupts.contains("IR-") {
                return Finding(.interruptRemapping, .ok, "interrupts go through the IOMMU (IR- in /proc/interrupts)")
            }
            if interrupts.contains("ITS-") {
                return Finding(.interruptRemapping, .ok, "interrupts go through the GIC's ITS (/proc/interrupts)")
            }
        }
        for module in ["vfio_iommu_type1", "iommufd"] {
            let path = "/sys/module/\(module)/parameters/allow_unsafe_interrupts"
            guard files.text(path).content == "Y" else { continue }
            return Finding(
                .interruptRemapping, .warning,
                "there is no interrupt remapping, and VFIO was told to do without (\(path)): a guest can forge interrupts",
                cure: "turn interrupt remapping on in the firmware's setup, then echo N > \(path)")
        }
        guard answer.content != nil else {
            return Finding(
                .interruptRemapping, .note,
                answer.isForbidden
                    ? "not permitted to look at /proc/interrupts" : "not known: /proc/interrupts cannot be read")
        }
        if files.bootValues(of: "intremap").contains("off") {
            return Finding(
                .interruptRemapping, .failure,
                "interrupts are not remapped: the kernel was started with intremap=off (/proc/cmdline), and VFIO refuses "
                    + "devices, since a guest could forge interrupts",
                cure: "take intremap=off off the kernel's command line and start the machine again")
        }
        return Finding(
            .interruptRemapping, .failure,
            "no interrupt controller remaps interrupts (no IR- in /proc/interrupts): VFIO "
                + "refuses devices, since a guest could forge interrupts",
            cure:
                "turn on interrupt remapping (x2APIC, VT-d) in the firmware's setup; only where every guest is trusted, "
                + "set vfio_iommu_type1.allow_unsafe_interrupts=1")
    }
}

internal import Host

/// The findings about VFIO: its driver, its two interfaces, its nodes, and whether it would do without an IOMMU.
struct VFIOFindings {
    let files: HostFiles
    let snapshot: HostSnapshot
    let modprobe: ModprobeSettings

    var findings: [Finding] { [vfioPCI, iommufd, container, cdev, noIOMMU] }

    private var vfioPCI: Finding {
        if snapshot.drivers.contains("vfio-pci") {
            return Finding(.vfioPCI, .ok, "the driver is there (/sys/bus/pci/drivers/vfio-pci)")
        }
        switch KernelModule.find("vfio-pci", on: files) {
        case .present(let place): return Finding(.vfioPCI, .ok, "the driver is in the kernel (\(place))")
        case .loadable(let place):
            guard let line = modprobe.prevention(of: "vfio-pci") else {
                return Finding(.vfioPCI, .ok, "the driver will be loaded when needed (\(place))")
            }
            return Finding(
                .vfioPCI, .failure, "the driver cannot be loaded: \(line.place) runs \(list(line.arguments)) instead",
                cure: "remove that line, or load vfio-pci with insmod")
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

    private var iommufd: Finding {
        switch Self.iommufdState(files) {
        case .present(let place): return Finding(.iommufd, .ok, "iommufd is there (\(place))")
        case .loadable(let place): return Finding(.iommufd, .ok, "iommufd can be loaded (\(place))")
        case .absent(let place):
            return Finding(
                .iommufd, .note, "this kernel has no iommufd (it is not in \(place)): groups and containers are used")
        case .unknown:
            return Finding(.iommufd, .note, "iommufd is not loaded, and whether it can be is not known (/lib/modules)")
        }
    }

    private var container: Finding {
        var state = KernelModule.find("vfio_iommu_type1", on: files)
        if case .present = state {
        } else if files.exists("/sys/kernel/iommu_groups"), files.exists("/dev/vfio/vfio") {
            // The node is there before its driver: type1 is loaded at the first open.
            if case .unknown = state { state = .present(where: "/dev/vfio/vfio") }
        }
        switch state {
        case .present(let place): return Finding(.container, .ok, "VFIO's containers are there (\(place))")
        case .loadable(let place): return Finding(.container, .ok, "VFIO's containers can be loaded (\(place))")
        case .absent, .unknown:
            let level: Finding.Level = Self.iommufdState(files).isUsable ? .note : .failure
            return Finding(
                .container, level, "vfio_iommu_type1 is not loaded, and not among this kernel's modules",
                cure: level == .note
                    ? nil : "start a kernel with CONFIG_IOMMUFD and CONFIG_VFIO_DEVICE_CDEV, or CONFIG_VFIO_IOMMU_TYPE1"
            )
        }
    }

    /// Whether iommufd can be used, with the evidence.
    static func iommufdState(_ files: HostFiles) -> KernelModule {
        files.exists("/dev/iommu") ? .present(where: "/dev/iommu") : KernelModule.find("iommufd", on: files)
    }

    private var cdev: Finding {
        // The kernel reserves the numbers of these nodes when VFIO is loaded with CONFIG_VFIO_DEVICE_CDEV.
        if let devices = files.text("/proc/devices").content,
            devices.split(separator: "\n").contains(where: { $0.hasSuffix(" vfio-dev") })
        {
            return Finding(
                .cdev, .ok, "each device bound to VFIO has a node in /dev/vfio/devices (vfio-dev in /proc/devices)")
        }
        if files.exists("/sys/module/vfio") {
            return Finding(
                .cdev, .note,
                "this kernel gives devices no nodes of their own (no vfio-dev in /proc/devices): the iommufd "
                    + "backend cannot be used",
                cure: "start a kernel (6.6 or newer) with CONFIG_VFIO_DEVICE_CDEV to use it")
        }
        if let release = files.text("/proc/sys/kernel/osrelease").content, !release.contains("/"),
            let configuration = files.text("/boot/config-" + release).content
        {
            let isSet = configuration.split(separator: "\n").contains("CONFIG_VFIO_DEVICE_CDEV=y")
            return Finding(
                .cdev, isSet ? .ok : .note,
                "/boot/config-\(release) has \(isSet ? "" : "no ")CONFIG_VFIO_DEVICE_CDEV=y"
                    + (isSet ? "" : ": the iommufd backend cannot be used"))
        }
        return Finding(.cdev, .note, "not known before VFIO is loaded")
    }

    /// `enable_unsafe_noiommu_mode` gives out devices that no IOMMU holds back from the host's memory.
    private var noIOMMU: Finding {
        let path = "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"
        let danger = "a device that is given out so reaches all of the host's memory"
        switch files.text(path) {
        case .content("Y"), .content("1"):
            let nodes = files.names(in: "/dev/vfio").filter { $0.hasPrefix("noiommu-") }.map { "/dev/vfio/" + $0 }
            return Finding(
                .noiommu, .warning,
                "VFIO gives out devices without an IOMMU (\(path) is Y\(nodes.isEmpty ? "" : "; " + list(nodes))): \(danger)",
                cure:
                    "echo N > \(path), and take enable_unsafe_noiommu_mode out of modprobe.d and the kernel's command line"
            )
        case .content(let setting): return Finding(.noiommu, .ok, "VFIO wants an IOMMU (\(path) is \(setting))")
        case .forbidden: return Finding(.noiommu, .note, "not permitted to look at \(path)")
        case .absent, .unreadable: break
        }
        if files.exists("/sys/module/vfio") {
            return Finding(
                .noiommu, .ok, "VFIO wants an IOMMU: this kernel has no other mode (\(path) is not there)")
        }
        if let setting = modprobe.option("enable_unsafe_noiommu_mode", of: "vfio"),
            !["N", "n", "0"].contains(setting.value)
        {
            return Finding(
                .noiommu, .warning,
                "\(setting.place) has VFIO give out devices without an IOMMU, once it is loaded: \(danger)",
                cure: "take vfio's enable_unsafe_noiommu_mode out of \(setting.place)")
        }
        return Finding(
            .noiommu, .ok,
            "VFIO is not loaded, and neither /proc/cmdline nor modprobe.d has it do without an IOMMU")
    }
}

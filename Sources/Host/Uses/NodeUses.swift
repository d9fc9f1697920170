internal import HostAccess
internal import PCI

/// Which PCI functions are used through their device nodes: graphics, sound, InfiniBand, NVMe controllers, serial lines and
/// others. Disks are not among them: their nodes are looked at with all else about them.
struct NodeUses {
    /// By function.
    private(set) var byFunction: [PCIAddress: [Use]] = [:]

    /// - Parameter disks: the functions of each disk; native NVMe multipath lets one have several.
    init(on host: any HostAccess, _ processes: ProcessTable, disks: [String: [PCIAddress]]) {
        var nvidia: [String: PCIAddress]?
        var open: [PCIAddress: [String]] = [:]
        for node in processes.nodes {
            if node.hasPrefix("/dev/nvidia") {
                let minors = nvidia ?? Self.nvidiaMinors(on: host)
                nvidia = minors
                if let function = minors[String(node.dropFirst("/dev/nvidia".count))] {
                    open[function, default: []].append(node)
                }
                continue
            }
            guard let (name, classes) = Self.entry(of: node) else { continue }
            for function in Self.functions(of: name, in: classes, disks, host) {
                open[function, default: []].append(node)
            }
        }
        for (function, nodes) in open { byFunction[function] = Self.uses(of: nodes, processes) }
    }

    /// One use a process, with all the nodes that it has open.
    private static func uses(of nodes: [String], _ processes: ProcessTable) -> [Use] {
        processes.holders.compactMap { holder in
            let open = nodes.filter(holder.nodes.contains)
            guard !open.isEmpty else { return nil }
            let shows = open.contains { $0.hasPrefix("/dev/dri/card") || $0.hasPrefix("/dev/fb") }
            return Use(by: shows ? .display : .process, detail: "\(holder.description) has \(enumerated(open)) open")
        }
    }

    // MARK: from a node to its function

    private static let classesOfDirectories = [
        "dri": ["drm"], "snd": ["sound"], "accel": ["accel"], "infiniband": ["infiniband_verbs", "infiniband_mad"],
    ]

    private static let classesOfNames = [
        "fb": "graphics", "nvme": "nvme", "ng": "nvme-generic", "sg": "scsi_generic", "st": "scsi_tape",
        "nst": "scsi_tape", "uio": "uio", "tty": "tty", "ttyS": "tty", "ttyUSB": "tty", "ttyACM": "tty", "hvc": "tty",
        "video": "video4linux", "mei": "mei",
    ]

    /// The name that a node has in sysfs, and the classes it may be in; nil for disks and for what is no device's.
    private static func entry(of node: String) -> (name: String, classes: [String])? {
        let parts = node.split(separator: "/").dropFirst().map(String.init)
        if parts.count == 2 { return classesOfDirectories[parts[0]].map { (parts[1], $0) } }
        guard parts.count == 1, let name = parts.first else { return nil }
        let letters = String(name.prefix { $0.isLetter })
        let rest = name.dropFirst(letters.count)
        // nvme0n1 is a disk, nvme0 its controller; ng0n1 is a namespace as a character device.
        guard let kind = classesOfNames[letters], letters == "ng" || rest.allSatisfy(\.isNumber) else { return nil }
        return (name, [kind])
    }

    private static func functions(
        of name: String, in classes: [String], _ disks: [String: [PCIAddress]], _ host: any HostAccess
    ) -> [PCIAddress] {
        if name.hasPrefix("ng"), let functions = disks["nvme" + name.dropFirst(2)] { return functions }
        for kind in classes {
            do {
                let target = try host.readLink("/sys/class/\(kind)/\(name)")
                return ClassDevices.function(of: target).map { [$0] } ?? []
            } catch {
                continue
            }
        }
        return []
    }

    /// The functions of /dev/nvidiaN, by N: the driver's own files, `/proc/driver/nvidia/gpus/ADDRESS/information`.
    /// /dev/nvidiactl and /dev/nvidia-uvm belong to no function in particular.
    private static func nvidiaMinors(on host: any HostAccess) -> [String: PCIAddress] {
        var functions: [String: PCIAddress] = [:]
        let path = "/proc/driver/nvidia/gpus"
        let names: [String]
        do { names = try host.entries(path) } catch { return [:] }
        for name in names {
            guard let address = PCIAddress(name), let text = host.optionalText("\(path)/\(name)/information") else {
                continue
            }
            for line in text.split(separator: "\n") where line.hasPrefix("Device Minor:") {
                let minor = line.dropFirst("Device Minor:".count).filter { $0 != " " && $0 != "\t" }
                functions[String(minor)] = address
            }
        }
        return functions
    }
}

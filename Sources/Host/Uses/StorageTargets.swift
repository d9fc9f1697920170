internal import HostAccess

/// Block devices that this host gives to others as a storage target: NVMe over fabrics (nvmet) and SCSI (LIO), from their
/// configuration in configfs. Neither leaves a `holders` link.
struct StorageTargets {
    /// `an NVMe target (nqn.2026-11.org.example:disk)`, by block device.
    private(set) var exports: [String: [String]] = [:]

    init(on host: any HostAccess, _ blocks: BlockDevices) {
        let nvme = "/sys/kernel/config/nvmet/subsystems"
        for subsystem in blocks.names(in: nvme) {
            for namespace in blocks.names(in: "\(nvme)/\(subsystem)/namespaces") {
                let path = "\(nvme)/\(subsystem)/namespaces/\(namespace)"
                add(path, device: "device_path", as: "an NVMe target (\(subsystem))", host, blocks)
            }
        }
        let scsi = "/sys/kernel/config/target/core"
        for backstore in blocks.names(in: scsi) {
            for object in blocks.names(in: "\(scsi)/\(backstore)") {
                add(
                    "\(scsi)/\(backstore)/\(object)", device: "udev_path", as: "a SCSI target (\(object))", host, blocks
                )
            }
        }
    }

    private mutating func add(
        _ path: String, device: String, as export: String, _ host: any HostAccess, _ blocks: BlockDevices
    ) {
        guard host.optionalText(path + "/enable") == "1", let node = host.optionalText("\(path)/\(device)"),
            let name = blocks.name(atPath: node)
        else { return }
        exports[name, default: []].append(export)
    }
}

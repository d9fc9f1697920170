public import HostAccess
public import PCI
internal import SystemPackage

/// A disk or partition that nobody uses and that something is written on all the same: whoever is given the device gets
/// what is on it, and can destroy it.
public struct IdleDisk: Hashable, Sendable, Codable {
    /// The disk or partition: `nvme0n1p2`.
    public var blockDevice: String
    /// What is on it.
    public var content: DiskContent

    /// Makes a finding of what was read.
    public init(blockDevice: String, content: DiskContent) {
        self.blockDevice = blockDevice
        self.content = content
    }

    /// `nvme0n1p2 is not in use, but has ext4 on it (backup)`.
    public var description: String {
        "\(blockDevice) is not in use, but has \(content.type) on it\(content.label.map { " (\($0))" } ?? "")"
    }
}

extension HostSnapshot {
    /// Looks what is written on the disks of some devices, where nobody uses them, and fills in their `signatures`.
    ///
    /// udev's database tells it (`/run/udev/data/bMAJOR:MINOR`); a disk that it does not know is read, which can wake it:
    /// hence only for devices that were asked about. Nothing is changed. A disk that may not be read is one of the device's
    /// `unseen`. A ZFS label that names an imported pool is a user, and is added to the device's `uses`.
    public mutating func readSignatures(of addresses: [PCIAddress], from host: any HostAccess) {
        let blocks = BlockDevices(on: host, virtual: [])
        let pools = ZFSPools(on: host)
        for address in Set(addresses) {
            update(address) { device in
                device.signatures = []
                for disk in device.blockDevices {
                    IdleDiskReader(host: host, blocks: blocks, pools: pools).read(disk, into: &device)
                }
            }
        }
    }
}

/// Reads what is on one disk.
private struct IdleDiskReader {
    let host: any HostAccess
    let blocks: BlockDevices
    let pools: ZFSPools

    func read(_ disk: String, into device: inout Device) {
        // Who uses the whole disk uses its partitions, or does not care for them.
        guard !isUsed(disk, of: device) else { return }
        let partitions = blocks.partitions(of: disk)
        for name in [disk] + partitions where !isUsed(name, of: device) {
            guard let content = content(of: name, &device.unseen) else { continue }
            // A disk's table is told by its partitions.
            if name == disk, !partitions.isEmpty, ["gpt", "dos"].contains(content.type) { continue }
            if content.type == "zfs_member", let pool = content.label, pools.names.contains(pool) {
                device.uses.append(Use(by: .holder, detail: "\(name) is part of the ZFS pool \(pool), imported"))
            } else {
                device.signatures.append(IdleDisk(blockDevice: name, content: content))
            }
        }
    }

    /// What `DiskUses` says of a disk or partition begins with its name, or names its node at the end.
    private func isUsed(_ name: String, of device: Device) -> Bool {
        device.uses.contains { use in
            use.detail.hasPrefix(name + " ") || blocks.nodes(of: name).contains { use.detail.hasSuffix(" \($0) open") }
        }
    }

    private func content(of name: String, _ unseen: inout [String]) -> DiskContent? {
        let record = blocks.number(of: name).flatMap { UdevRecord(ofBlockDevice: $0, on: host) }
        if let record {
            if let type = record.contentType { return DiskContent(type: type, label: record.label) }
            return record.partitionTable.map { DiskContent(type: $0) }
        }
        do throws(HostAccessError) {
            return try host.content(ofBlockDevice: name)
        } catch {
            if error.errno == .permissionDenied || error.errno == .notPermitted {
                unseen.append("not permitted to look at what is written on \(name)")
            }
            return nil
        }
    }
}

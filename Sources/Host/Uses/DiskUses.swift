internal import HostAccess

/// Who uses disks: what is mounted from them or swaps to them, directly or through device-mapper, md and btrfs.
struct DiskUses {
    private let host: any HostAccess
    /// Mount points by the block device's name: `nvme0n1p2`, `dm-0`.
    private var mountPoints: [String: [String]] = [:]
    /// Names of block devices that are swapped to.
    private var swaps: Set<String> = []
    /// The other members of the btrfs that a block device belongs to, and where that is mounted.
    private var btrfs: [String: [String]] = [:]
    /// device-mapper's names, by the kernel's: `dm-0` is `vg0-root`.
    private var mapperNames: [String: String] = [:]
    /// What could not be looked at.
    private(set) var notes: [String] = []

    /// - Parameter otherDisks: the disks that sit on no PCI device, device-mapper's among them.
    init(on host: any HostAccess, otherDisks: [String]) {
        self.host = host
        for name in otherDisks where name.hasPrefix("dm-") {
            mapperNames[name] = host.optionalText("/sys/block/\(name)/dm/name")
        }
        let kernelNames = Dictionary(mapperNames.map { ("/dev/mapper/" + $0.value, $0.key) }) { first, _ in first }
        readMounts(kernelNames)
        readSwaps(kernelNames)
    }

    // MARK: tables

    private mutating func readMounts(_ kernelNames: [String: String]) {
        guard let table = MountTable(on: host) else {
            notes.append("no mount table can be read (/proc/self/mountinfo), so what is mounted is not known")
            return
        }
        var names: [String: String?] = [:]
        for mount in table.mounts {
            let key = (mount.deviceNumber ?? "") + " " + mount.source
            let name = names[key] ?? blockDevice(of: mount, kernelNames)
            names[key] = .some(name)
            guard let name else { continue }
            if mountPoints[name]?.contains(mount.point) != true { mountPoints[name, default: []].append(mount.point) }
        }
        let hasBtrfs = table.mounts.contains { $0.type == "btrfs" }
        if hasBtrfs { readBtrfs() }
    }

    private func blockDevice(of mount: MountTable.Mount, _ kernelNames: [String: String]) -> String? {
        if let number = mount.deviceNumber, !number.hasPrefix("0:"),
            let name = host.linkName("/sys/dev/block/" + number)
        {
            return name
        }
        return Self.blockDevice(at: mount.source, kernelNames)
    }

    /// The kernel's name for a path under /dev.
    private static func blockDevice(at path: String, _ kernelNames: [String: String]) -> String? {
        guard path.hasPrefix("/dev/") else { return nil }
        if let name = kernelNames[path] { return name }
        let name = path.dropFirst("/dev/".count)
        return name.contains("/") ? nil : String(name)
    }

    private mutating func readSwaps(_ kernelNames: [String: String]) {
        guard let text = host.optionalText("/proc/swaps") else {
            notes.append("/proc/swaps cannot be read, so what is swapped to is not known")
            return
        }
        for line in text.split(separator: "\n").dropFirst() {
            guard let path = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).first else { continue }
            if let name = Self.blockDevice(at: MountTable.unescaped(path), kernelNames) { swaps.insert(name) }
        }
    }

    /// A btrfs names one of its devices as the mount's source; the others are in `/sys/fs/btrfs/UUID/devices`.
    private mutating func readBtrfs() {
        let path = "/sys/fs/btrfs"
        for id in names(in: path) {
            let members = names(in: "\(path)/\(id)/devices")
            let points = members.flatMap { mountPoints[$0] ?? [] }
            guard !points.isEmpty else { continue }
            for member in members where mountPoints[member] == nil { btrfs[member] = points }
        }
    }

    // MARK: one disk

    /// Every use of a whole disk (`nvme0n1`): of itself and of each partition.
    func uses(of disk: String) -> [Use] {
        ([disk] + partitions(of: disk)).flatMap { name -> [Use] in
            var uses: [Use] = []
            if let points = mountPoints[name] {
                uses.append(Use(by: .mount, detail: "\(name) is mounted on \(enumerated(points))"))
            }
            if swaps.contains(name) { uses.append(Use(by: .swap, detail: "\(name) is used as swap space")) }
            if let points = btrfs[name] {
                uses.append(Use(by: .holder, detail: "\(name) is part of a btrfs, mounted on \(enumerated(points))"))
            }
            for holder in names(in: "/sys/class/block/\(name)/holders") {
                var seen: Set<String> = [name]
                uses.append(Use(by: .holder, detail: "\(name) is held by \(description(of: holder, &seen))"))
            }
            return uses
        }
    }

    /// `dm-0 (vg0-root), mounted on /`: a holder, with what is on top of it all the way up.
    private func description(of name: String, _ seen: inout Set<String>) -> String {
        var text = mapperNames[name].map { "\(name) (\($0))" } ?? name
        guard seen.insert(name).inserted else { return text }
        for part in [name] + partitions(of: name) {
            if let points = mountPoints[part] ?? btrfs[part] { text += ", mounted on \(enumerated(points))" }
            if swaps.contains(part) { text += ", used as swap space" }
            for holder in names(in: "/sys/class/block/\(part)/holders") {
                text += ", held by \(description(of: holder, &seen))"
            }
        }
        return text
    }

    private func partitions(of disk: String) -> [String] {
        names(in: "/sys/class/block/" + disk)
            .filter { $0.hasPrefix(disk) && host.exists("/sys/class/block/\(disk)/\($0)/partition") }
    }

    private func names(in path: String) -> [String] {
        do { return try host.entries(path).sorted() } catch { return [] }
    }
}

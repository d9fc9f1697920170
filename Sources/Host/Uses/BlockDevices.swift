internal import HostAccess

/// Block devices by the kernel's names, and how they lie on one another: partitions, and the `holders` that device-mapper,
/// md and bcache leave in sysfs.
struct BlockDevices {
    private let host: any HostAccess
    /// Partitions, in order, by disk; nil where /sys/class/block is not there.
    private var partitionsByDisk: [String: [String]]?
    /// device-mapper's names, by the kernel's: `dm-0` is `vg0-root`.
    private(set) var mapperNames: [String: String] = [:]
    private var kernelNames: [String: String] = [:]

    /// - Parameter virtual: the disks that sit on no PCI device, device-mapper's among them.
    init(on host: any HostAccess, virtual: [String]) {
        self.host = host
        for name in virtual where name.hasPrefix("dm-") {
            guard let mapperName = host.optionalText("/sys/block/\(name)/dm/name") else { continue }
            mapperNames[name] = mapperName
            kernelNames["/dev/mapper/" + mapperName] = name
        }
        do {
            let names = try host.entries("/sys/class/block")
            let all = Set(names)
            var partitions: [String: [(number: Int, name: String)]] = [:]
            for name in names {
                guard let (disk, number) = Self.partition(name), all.contains(disk) else { continue }
                partitions[disk, default: []].append((number, name))
            }
            partitionsByDisk = partitions.mapValues { $0.sorted { $0.number < $1.number }.map(\.name) }
        } catch {}
    }

    /// The disk and the number of a partition, by the kernel's rule: a disk whose name ends with a digit has a "p" before
    /// the number (`disk_name` in block/partitions/core.c).
    static func partition(_ name: String) -> (disk: String, number: Int)? {
        let digits = name.utf8.reversed().prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }.count
        guard digits > 0, let number = Int(name.suffix(digits)) else { return nil }
        var disk = name.dropLast(digits)
        guard let last = disk.last else { return nil }
        let withoutLetter = disk.dropLast()
        if last == "p", let before = withoutLetter.last, before.isNumber { disk = withoutLetter }
        return (String(disk), number)
    }

    /// A disk's partitions, in order.
    func partitions(of disk: String) -> [String] {
        if let partitionsByDisk { return partitionsByDisk[disk] ?? [] }
        return names(in: "/sys/block/" + disk)
            .filter { $0.hasPrefix(disk) && host.exists("/sys/block/\(disk)/\($0)/partition") }
    }

    /// What lies on a disk or partition.
    func holders(of name: String) -> [String] { names(in: path(of: name) + "/holders") }

    /// `259:2`.
    func number(of name: String) -> String? { host.optionalText(path(of: name) + "/dev") }

    /// The nodes that a disk or partition may be open by.
    func nodes(of name: String) -> [String] {
        // A slash in a device's name is an exclamation mark in sysfs.
        let node = "/dev/" + String(name.map { $0 == "!" ? "/" : $0 })
        guard let mapperName = mapperNames[name] else { return [node] }
        return [node, "/dev/mapper/" + mapperName]
    }

    /// The kernel's name for a path under /dev.
    func name(atPath path: String) -> String? {
        guard path.hasPrefix("/dev/") else { return nil }
        if let name = kernelNames[path] { return name }
        let name = path.dropFirst("/dev/".count)
        guard name.contains("/") else { return String(name) }
        // Only of a controller with a directory of its own (cciss/c0d0); links such as disk/by-uuid/… are not followed.
        let escaped = String(name.map { $0 == "/" ? "!" : $0 })
        return host.exists("/sys/class/block/" + escaped) ? escaped : nil
    }

    /// The kernel's name for a device's number: `nvme0n1p2` for `259:2`.
    func name(ofNumber number: String) -> String? { host.linkName("/sys/dev/block/" + number) }

    /// The names in a directory, sorted; none when there is no such directory.
    func names(in path: String) -> [String] {
        do { return try host.entries(path).sorted() } catch { return [] }
    }

    private func path(of name: String) -> String { "/sys/class/block/" + name }
}

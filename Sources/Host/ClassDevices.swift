internal import HostAccess
internal import PCI

/// The devices of a class (`/sys/class/net`, `/sys/block`) and the PCI function that each one sits on.
///
/// Their links name the whole way down to them, so one readlink(2) finds the function, whatever stands between: an NVMe
/// controller, a SCSI host, a USB stick. Looking the other way would walk every PCI device's children.
struct ClassDevices {
    /// Names by the PCI function they sit on, each list sorted.
    private(set) var byFunction: [PCIAddress: [String]] = [:]
    /// Names of those that sit on none: bonds, VLANs, device-mapper, loop devices.
    private(set) var others: [String] = []

    /// - Parameter name: the name to show for an entry; nil leaves the entry out.
    init(_ path: String, on host: any HostAccess, name: (String) -> String? = { $0 }) {
        let directory: any HostDirectory
        let names: [String]
        do {
            directory = try host.directory(path)
            names = try directory.entries("")
        } catch {
            return
        }
        for entry in names.sorted() {
            guard let shown = name(entry) else { continue }
            let target: String
            do { target = try directory.readLink(entry) } catch { continue }
            if let function = Self.function(of: target) {
                if byFunction[function]?.contains(shown) != true { byFunction[function, default: []].append(shown) }
            } else {
                others.append(shown)
            }
        }
    }

    /// The PCI function that a link of a class leads through: the last one on the way.
    static func function(of target: String) -> PCIAddress? {
        let text = target.utf8.span
        var end = text.count
        for index in text.indices.reversed() where text[index] == UInt8(ascii: "/") || index == 0 {
            let start = text[index] == UInt8(ascii: "/") ? index + 1 : index
            if let address = PCIAddress(ascii: text.extracting(start..<end)) { return address }
            end = index
        }
        return nil
    }

    /// Network interfaces. /sys/class/net has those of the reader's own network namespace.
    static func interfaces(on host: any HostAccess) -> ClassDevices { ClassDevices("/sys/class/net", on: host) }

    /// Whole disks.
    ///
    /// With native NVMe multipath the PCI function's own disk (`nvme0c1n1`: subsystem, controller, namespace) is hidden,
    /// and what is used is `nvme0n1`, which sits on no function: it is named in the other's place.
    static func disks(on host: any HostAccess) -> ClassDevices {
        var disks = ClassDevices("/sys/block", on: host, name: visibleDisk)
        let found = Set(disks.byFunction.values.joined())
        disks.others.removeAll { found.contains($0) }
        return disks
    }

    /// Devices of a class that are called by one of these words and a number: `card0`, not `card0-HDMI-A-1`.
    static func numbered(_ path: String, _ word: String, on host: any HostAccess) -> ClassDevices {
        ClassDevices(path, on: host) { name in
            name.hasPrefix(word) && decimalAttribute(name.utf8.dropFirst(word.utf8.count)) != nil ? name : nil
        }
    }

    /// `nvme0n1` for `nvme0c1n1`; anything else unchanged.
    static func visibleDisk(_ name: String) -> String {
        guard name.hasPrefix("nvme"), let controller = name.firstIndex(of: "c"),
            let namespace = name[controller...].firstIndex(of: "n")
        else { return name }
        let numbers = [name[..<controller].dropFirst(4), name[controller..<namespace].dropFirst()]
        guard numbers.allSatisfy({ decimalAttribute($0.utf8) != nil }) else { return name }
        return String(name[..<controller] + name[namespace...])
    }
}

public import PCI

/// What `attach` and `detach` call things inside a guest.
public enum GuestNames {
    /// The iommufd object that `attach` adds to a guest that has none. All devices attached later share it: one address
    /// space, in which the guest's memory is pinned, and counted, once.
    public static let iommufdObject = "vfioctl-iommufd"

    /// The id of a device, unless the user chooses one: `vfio-0000-01-00.0`. QEMU's ids have no colons.
    public static func device(_ address: PCIAddress) -> String {
        "vfio-" + String(address.description.map { $0 == ":" ? "-" : $0 })
    }

    /// Whether QEMU takes a text as an id (`id_wellformed`, util/id.c): a letter, then letters, digits, `-`, `.`, `_`.
    public static func isWellFormed(_ id: String) -> Bool {
        let isLetter = { (byte: UInt8) in (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
        guard let first = id.utf8.first, isLetter(first) else { return false }
        return id.utf8.allSatisfy {
            isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || "-._".utf8.contains($0)
        }
    }
}

/// What a running QEMU has, as far as handing it a device is concerned: a value, read once, changing nothing.
public struct GuestSnapshot: Hashable, Sendable {
    /// QEMU's version: "10.0.2".
    public var version: String
    /// Whether it has iommufd, and so takes descriptors of devices at all (QEMU 9.0 and newer, on a Linux host).
    public var hasIOMMUFD: Bool
    /// The type of each device with an id: `rp0` is a `pcie-root-port`.
    public var devices: [String: String]
    /// The type of each object: `vfioctl-iommufd` is an `iommufd`.
    public var objects: [String: String]
    /// The id of the iommufd object that each of the host's devices uses, by the device's id (or its QOM path, where it
    /// has none).
    public var iommufdOf: [String: String]
    /// Root ports with an id, each with whether a device sits behind it; shorter ids first, then by text (QEMU lists
    /// them in no order).
    public var rootPorts: [RootPort]

    /// A place where a device can be plugged.
    public struct RootPort: Hashable, Sendable {
        /// Its id, which is also the name of its bus.
        public var id: String
        /// Whether nothing is plugged into it.
        public var isFree: Bool

        /// Makes a root port.
        public init(id: String, isFree: Bool) {
            self.id = id
            self.isFree = isFree
        }
    }

    /// Makes a snapshot of what was read.
    public init(
        version: String, hasIOMMUFD: Bool = true, devices: [String: String] = [:], objects: [String: String] = [:],
        iommufdOf: [String: String] = [:], rootPorts: [RootPort] = []
    ) {
        self.version = version
        self.hasIOMMUFD = hasIOMMUFD
        self.devices = devices
        self.objects = objects
        self.iommufdOf = iommufdOf
        self.rootPorts = rootPorts
    }

    /// Asks a monitor: `qom-list-types`, `qom-list` and `qom-get`, none of which changes anything.
    public static func read(from monitor: inout QMPConnection) throws(QMPError) -> GuestSnapshot {
        let types = try monitor.execute(QMPCommand("qom-list-types", ["implements": "iommufd"]))
        var guest = GuestSnapshot(version: monitor.version, hasIOMMUFD: types.array?.isEmpty == false)
        guest.objects = Dictionary(try monitor.children(of: "/objects")) { first, _ in first }
        let devices = try monitor.children(of: peripherals)
        guest.devices = Dictionary(devices) { first, _ in first }
        let ports = devices.filter { $0.type == "pcie-root-port" }.map(\.name)
        for id in ports.sorted(by: { ($0.utf8.count, $0) < ($1.utf8.count, $1) }) {
            let plugged = try monitor.properties(of: "\(peripherals)/\(id)/\(id)").contains {
                $0.name.hasPrefix("child[")
            }
            guest.rootPorts.append(RootPort(id: id, isFree: !plugged))
        }
        guard guest.objects.values.contains("iommufd") else { return guest }
        let nameless = try monitor.children(of: "/machine/peripheral-anon")
            .map {
                (
                    label: "/machine/peripheral-anon/\($0.name)", path: "/machine/peripheral-anon/\($0.name)",
                    type: $0.type
                )
            }
        let named = devices.map { (label: $0.name, path: "\(peripherals)/\($0.name)", type: $0.type) }
        for device in named + nameless where device.type.hasPrefix("vfio-") {
            let object = try monitor.iommufd(of: device.path)
            if let object, object.hasPrefix("/objects/") {
                guest.iommufdOf[device.label] = String(object.dropFirst("/objects/".count))
            }
        }
        return guest
    }

    fileprivate static let peripherals = "/machine/peripheral"
}

extension QMPConnection {
    /// The ids of the guest's objects.
    mutating func objectIDs() throws(QMPError) -> [String] { try children(of: "/objects").map(\.name) }

    /// The ids of the guest's devices.
    mutating func deviceIDs() throws(QMPError) -> [String] {
        try children(of: GuestSnapshot.peripherals).map(\.name)
    }

    /// The properties of an object, in QEMU's order.
    fileprivate mutating func properties(of path: String) throws(QMPError) -> [(name: String, type: String)] {
        let list = try execute(QMPCommand("qom-list", ["path": .string(path)]))
        guard let entries = list.array else {
            throw QMPError(.notQMP, socket: self.path, command: "qom-list", detail: "it answered no list")
        }
        return entries.compactMap { entry in
            guard let name = entry["name"]?.string, let type = entry["type"]?.string else { return nil }
            return (name, type)
        }
    }

    /// The children of an object, by name, with their types: what QOM calls `child<pcie-root-port>`.
    fileprivate mutating func children(of path: String) throws(QMPError) -> [(name: String, type: String)] {
        try properties(of: path).compactMap { property in
            guard property.type.hasPrefix("child<"), property.type.hasSuffix(">") else { return nil }
            return (property.name, String(property.type.dropFirst("child<".count).dropLast()))
        }
    }

    /// The path of the iommufd object that a device uses; nil for none, and for a type of device that has no such thing.
    fileprivate mutating func iommufd(of path: String) throws(QMPError) -> String? {
        do throws(QMPError) {
            return try execute(QMPCommand("qom-get", ["path": .string(path), "property": "iommufd"])).string
        } catch {
            if case .refused = error.code { return nil }
            throw error
        }
    }
}

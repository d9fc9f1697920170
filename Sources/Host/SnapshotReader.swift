public import HostAccess
internal import PCI
internal import SystemPackage

extension HostSnapshot {
    /// What costs extra to read, and is left out for who does not need it.
    public struct Parts: OptionSet, Sendable {
        /// The bits.
        public let rawValue: Int

        /// Makes a set of parts.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// Each group's `reserved_regions`.
        public static let reservedRegions = Parts(rawValue: 1)
        /// Who uses each device.
        public static let uses = Parts(rawValue: 2)
        /// Each device's `revision` and `driver_override`.
        public static let details = Parts(rawValue: 4)
        /// Where each device hangs: `Device.topology`.
        public static let topology = Parts(rawValue: 8)
        /// The host's IOMMUs, and the kernel's arguments.
        public static let iommus = Parts(rawValue: 16)
        /// All of these.
        public static let all: Parts = [.reservedRegions, .uses, .details, .topology, .iommus]
    }

    /// Reads a host: `/sys/bus/pci/devices`, `/sys/kernel/iommu_groups`, `/sys/class/net`, `/sys/block` and, for the uses,
    /// the files that `UseReader` names. Nothing is changed, no device's `config` is read, no device is woken.
    ///
    /// - Parameters:
    ///   - host: the machine, a capture or a simulated kernel.
    ///   - parts: what to read beyond the devices, their groups and drivers.
    /// - Throws: when there is no sysfs, or it may not be read. A host without PCI is an empty snapshot; a device that
    ///   cannot be read is a note; an attribute that makes no sense is a problem of its device.
    public static func read(from host: any HostAccess, parts: Parts = .all) throws(HostAccessError) -> HostSnapshot {
        var reader = SnapshotReader(host)
        try reader.readDevices(parts)
        reader.attachClassDevices()
        reader.readGroups(reservedRegions: parts.contains(.reservedRegions))
        if parts.contains(.topology) { reader.snapshot.readTopology(from: host) }
        if parts.contains(.iommus) { reader.snapshot.readIOMMUs(from: host) }
        if parts.contains(.uses) {
            UseReader(host).read(into: &reader.snapshot, interfaceDirectories: reader.interfaceDirectories)
        }
        return reader.snapshot
    }
}

/// The one pass over a host that makes a snapshot.
private struct SnapshotReader {
    let host: any HostAccess
    var snapshot = HostSnapshot(devices: [], groups: [], drivers: [])
    /// Positions of the devices that have a directory `net`.
    var interfaceDirectories: [Int] = []

    init(_ host: any HostAccess) { self.host = host }

    // MARK: devices

    mutating func readDevices(_ parts: HostSnapshot.Parts) throws(HostAccessError) {
        let bus: any HostDirectory
        do throws(HostAccessError) {
            bus = try host.directory("/sys/bus/pci/devices")
        } catch {
            guard error.errno == .noSuchFileOrDirectory, host.exists("/sys") else { throw error }
            snapshot.notes.append("this host has no PCI bus: /sys/bus/pci/devices is not there")
            return
        }
        do { snapshot.drivers = try host.entries("/sys/bus/pci/drivers").sorted() } catch {}
        var reader = DeviceReader(bus, drivers: Set(snapshot.drivers), parts: parts)
        var functions: [(address: PCIAddress, name: String)] = []
        for name in try bus.entries("") {
            if let address = PCIAddress(name) {
                functions.append((address, name))
            } else {
                snapshot.notes.append("\(quoted(name.utf8)) in \(bus.path) is no PCI address; it is left out")
            }
        }
        functions.sort { $0.address < $1.address }
        var virtualFunctions = VirtualFunctionOrigins(functions.map(\.address))
        snapshot.devices.reserveCapacity(functions.count)
        for (position, (address, name)) in functions.enumerated() where address != snapshot.devices.last?.address {
            let directory: any HostDirectory
            do {
                directory = try bus.directory(name)
            } catch {
                // It went away since the listing, or a capture's link leads nowhere.
                snapshot.notes.append("\(address) is left out: its directory cannot be opened: \(error.errno)")
                continue
            }
            let origin = virtualFunctions[position]
            snapshot.devices.append(Device.unread)
            let index = snapshot.devices.count - 1
            snapshot.devices[index].address = address
            snapshot.devices[index].physicalFunction = origin?.physicalFunction
            snapshot.devices[index].vfIndex = origin?.index
            reader.read(&snapshot.devices[index], from: directory, isVirtual: origin != nil)
            virtualFunctions.add(reader.virtualFunctions, of: address)
            if reader.hasInterfaceDirectory { interfaceDirectories.append(index) }
        }
    }

    // MARK: interfaces and disks

    mutating func attachClassDevices() {
        let interfaces = ClassDevices.interfaces(on: host)
        let disks = ClassDevices.disks(on: host)
        for (function, names) in interfaces.byFunction { snapshot.update(function) { $0.interfaces = names } }
        for (function, names) in disks.byFunction { snapshot.update(function) { $0.blockDevices = names } }
        snapshot.otherInterfaces = interfaces.others
        snapshot.otherBlockDevices = disks.others
        attach("/sys/class/drm", named: "card", \.drmCards)
        attach("/sys/class/drm", named: "renderD", \.renderNodes)
        attach("/sys/class/graphics", named: "fb", \.framebuffers)
        attach("/sys/class/infiniband", named: nil, \.infinibandDevices)
        attach("/sys/class/scsi_host", named: "host", \.scsiHosts)
        attach("/sys/class/fc_host", named: "host", \.fcHosts)
    }

    private mutating func attach(_ path: String, named word: String?, _ names: WritableKeyPath<Device, [String]>) {
        let devices =
            word.map { ClassDevices.numbered(path, $0, on: host) } ?? ClassDevices(path, on: host)
        for (function, found) in devices.byFunction { snapshot.update(function) { $0[keyPath: names] = found } }
    }

    // MARK: groups

    /// The groups that the kernel lists and those that devices link to; a capture may hold only one of the two.
    mutating func readGroups(reservedRegions: Bool) {
        let path = "/sys/kernel/iommu_groups"
        var members: [(id: Int, device: PCIAddress?)] = []
        do {
            for name in try host.entries(path) {
                if let id = Int(name), id >= 0 { members.append((id, nil)) }
            }
        } catch {
            // No such directory: the kernel has no IOMMU support, or the capture left it out.
        }
        for index in snapshot.devices.indices {
            if let id = snapshot.devices[index].iommuGroup { members.append((id, snapshot.devices[index].address)) }
        }
        members.sort { left, right in
            guard left.id == right.id else { return left.id < right.id }
            guard let second = right.device else { return false }
            return left.device.map { $0 < second } ?? true
        }
        for (id, device) in members {
            if snapshot.groups.last?.id != id { snapshot.groups.append(IOMMUGroup(id: id, devices: [], reserved: [])) }
            if let device { snapshot.groups[snapshot.groups.count - 1].devices.append(device) }
        }
        guard reservedRegions else { return }
        for index in snapshot.groups.indices {
            snapshot.groups[index].reserved = regions("\(path)/\(snapshot.groups[index].id)/reserved_regions")
        }
    }

    /// Lines such as `0x00000000fee00000 0x00000000feefffff msi`.
    private func regions(_ path: String) -> [ReservedRegion] {
        guard let text = host.optionalText(path) else { return [] }
        return text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count == 3, fields.prefix(2).allSatisfy({ $0.hasPrefix("0x") }),
                let start = UInt64(fields[0].dropFirst(2), radix: 16),
                let end = UInt64(fields[1].dropFirst(2), radix: 16)
            else { return nil }
            return ReservedRegion(start: start, end: end, type: String(fields[2]))
        }
    }
}

/// Where the virtual functions come from that the physical functions read so far have links to.
///
/// Devices are read in the order of addresses, so a physical function comes before its virtual ones; these need no link of
/// theirs read.
private struct VirtualFunctionOrigins {
    /// All functions of the host, in order.
    private let addresses: [PCIAddress]
    private var origins: [(physicalFunction: PCIAddress, index: Int)?]

    init(_ addresses: [PCIAddress]) {
        self.addresses = addresses
        origins = Array(repeating: nil, count: addresses.count)
    }

    mutating func add(_ functions: [(index: Int, address: PCIAddress)], of physicalFunction: PCIAddress) {
        for function in functions {
            var low = 0
            var high = addresses.count
            while low < high {
                let middle = (low + high) / 2
                if addresses[middle] < function.address { low = middle + 1 } else { high = middle }
            }
            guard low < addresses.count, addresses[low] == function.address else { continue }
            origins[low] = (physicalFunction, function.index)
        }
    }

    subscript(position: Int) -> (physicalFunction: PCIAddress, index: Int)? { origins[position] }
}

extension Device {
    /// A device of which nothing is known yet.
    fileprivate static let unread = Device(
        address: PCIAddress(domain: 0, routingID: 0),
        identity: DeviceIdentity(vendorID: 0, deviceID: 0, subsystemVendorID: 0, subsystemDeviceID: 0), classID: 0)
}

extension HostSnapshot {
    /// Changes the device at an address, where there is one.
    mutating func update(_ address: PCIAddress, _ change: (inout Device) -> Void) {
        if let index = index(of: address) { change(&devices[index]) }
    }
}

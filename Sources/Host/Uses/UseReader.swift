internal import HostAccess
internal import PCI

/// Finds who uses each device of a snapshot, from plain files alone: nothing is opened that could wake or hold a device.
///
/// - disks: `/proc/self/mountinfo` and one of each other mount namespace, `/proc/swaps`, `holders` of each disk and
///   partition, `/sys/fs/btrfs`, `/proc/spl/kstat/zfs`, loop devices, storage targets in configfs;
/// - interfaces: netlink's dumps of links, addresses and routes, or `/proc/net/{route,ipv6_route,if_inet6,fib_trie}` and
///   `/sys/class/net`; the ssh session's sockets in `/proc/PID/fd` and `/proc/net/tcp`; `/proc/cmdline`,
///   `/sys/class/iscsi_session`, `/sys/firmware/ibft`;
/// - displays: `boot_vga`, `/proc/iomem`, `/sys/class/vtconsole`, `/sys/class/graphics`; `/sys/class/tty/console/active`;
/// - processes: `/proc/*/fd`, walked once, and only when some device has nodes that could be open.
///
/// What could not be looked at becomes one of a device's `unseen`: silence would read as "unused".
struct UseReader {
    private let host: any HostAccess
    private let bounds: ProcessWalk.Bounds

    init(_ host: any HostAccess, bounds: ProcessWalk.Bounds = .init()) {
        self.host = host
        self.bounds = bounds
    }

    /// Fills in the uses of every device.
    ///
    /// - Parameter interfaceDirectories: positions of the network cards that have the directory `net`.
    func read(into snapshot: inout HostSnapshot, interfaceDirectories: [Int]) {
        // By position, here and below: a device is large, and one of thousands is looked at where it stands.
        let positions = snapshot.devices.indices
        let hasInterfaces = positions.contains { !snapshot.devices[$0].interfaces.isEmpty }
        let storage = hasInterfaces || !interfaceDirectories.isEmpty ? NetworkStorage(on: host) : nil
        let withoutInterface = interfaceDirectories.filter { snapshot.devices[$0].interfaces.isEmpty }
        let foreign = ForeignInterfaces(of: withoutInterface.map { snapshot.devices[$0].address }, on: host)
        let hasDisks =
            positions.contains { !snapshot.devices[$0].blockDevices.isEmpty } || storage?.hasDisks == true
        let hasNodes = positions.contains { snapshot.devices[$0].mayBeOpen }
        let needsNamespaces = hasDisks || !foreign.isEmpty
        let processes =
            hasNodes || needsNamespaces ? ProcessTable(on: host, namespaces: needsNamespaces, bounds: bounds) : nil
        var disks: DiskUses?
        if let processes, hasDisks {
            disks = DiskUses(on: host, otherDisks: snapshot.otherBlockDevices, processes)
        }
        if let disks { read(disks, into: &snapshot) }
        if let storage {
            let interfaces = InterfaceUses(on: host, storage) { disks?.uses(of: $0) ?? [] }
            read(interfaces, into: &snapshot)
            add(storage.functions, to: &snapshot)
            add(foreign.uses(processes?.otherNamespaces ?? []), to: &snapshot)
        }
        if positions.contains(where: { snapshot.devices[$0].isDisplay }) { readDisplays(into: &snapshot) }
        add(KernelConsoles(on: host).byFunction, to: &snapshot)
        if let processes { readNodes(processes, into: &snapshot) }
        addVirtualFunctions(to: &snapshot)
    }

    private func read(_ disks: DiskUses, into snapshot: inout HostSnapshot) {
        for index in snapshot.devices.indices where !snapshot.devices[index].blockDevices.isEmpty {
            snapshot.devices[index].unseen += disks.unseen
            for disk in snapshot.devices[index].blockDevices {
                let uses = disks.uses(of: disk)
                snapshot.devices[index].uses += uses
                if uses.isEmpty { snapshot.devices[index].unseen += disks.unseen(of: disk) }
            }
        }
    }

    private func read(_ interfaces: InterfaceUses, into snapshot: inout HostSnapshot) {
        for index in snapshot.devices.indices where !snapshot.devices[index].interfaces.isEmpty {
            snapshot.devices[index].uses += interfaces.uses(of: snapshot.devices[index])
            snapshot.devices[index].unseen += interfaces.unseen + interfaces.unseen(of: snapshot.devices[index])
        }
    }

    private func readDisplays(into snapshot: inout HostSnapshot) {
        let displays = DisplayUses(on: host)
        for index in snapshot.devices.indices where snapshot.devices[index].isDisplay {
            snapshot.devices[index].uses += displays.uses(of: snapshot.devices[index])
            snapshot.devices[index].unseen += displays.unseen
        }
    }

    private func readNodes(_ processes: ProcessTable, into snapshot: inout HostSnapshot) {
        var disks: [String: [PCIAddress]] = [:]
        for index in snapshot.devices.indices {
            for disk in snapshot.devices[index].blockDevices {
                disks[disk, default: []].append(snapshot.devices[index].address)
            }
        }
        add(NodeUses(on: host, processes, disks: disks).byFunction, to: &snapshot)
        let holders = VFIOHolders(on: host, processes)
        for index in snapshot.devices.indices where snapshot.devices[index].mayBeOpen {
            snapshot.devices[index].uses += holders.uses(of: snapshot.devices[index])
            snapshot.devices[index].unseen += processes.unseen
        }
    }

    private func add(_ uses: [PCIAddress: [Use]], to snapshot: inout HostSnapshot) {
        for (address, uses) in uses { snapshot.update(address) { $0.uses += uses } }
    }

    /// A physical function is in use when one of its virtual functions is: they go when it changes its driver.
    private func addVirtualFunctions(to snapshot: inout HostSnapshot) {
        let isAnyUnseen = snapshot.devices.indices.contains { !snapshot.devices[$0].unseen.isEmpty }
        for index in snapshot.devices.indices {
            guard let functions = snapshot.devices[index].sriov?.virtualFunctions, !functions.isEmpty else { continue }
            var places: [Int] = []
            var used: [String] = []
            for (number, address) in functions.enumerated() {
                guard let place = snapshot.index(of: address) else { continue }
                places.append(place)
                if let use = snapshot.devices[place].uses.first {
                    used.append("VF \(number) (\(address)) is in use: \(use.detail)")
                } else if let driver = snapshot.devices[place].driver, DriverPolicy.isVFIO(driver) {
                    used.append("VF \(number) (\(address)) is bound to \(driver)")
                }
            }
            if !used.isEmpty { snapshot.devices[index].uses.append(Use(by: .vf, detail: enumerated(used))) }
            if isAnyUnseen { addUnseen(of: places, to: index, in: &snapshot) }
        }
    }

    /// What hides a user of a virtual function hides one of its physical function.
    private func addUnseen(of functions: [Int], to index: Int, in snapshot: inout HostSnapshot) {
        for place in functions where !snapshot.devices[place].unseen.isEmpty {
            for sentence in snapshot.devices[place].unseen where !snapshot.devices[index].unseen.contains(sentence) {
                snapshot.devices[index].unseen.append(sentence)
            }
        }
    }
}

extension Device {
    /// Base class 03, and the VGA devices from before there were classes.
    @inline(__always) var isDisplay: Bool { classID >> 16 == 0x03 || classID >> 8 == 0x0001 }

    /// Whether there may be nodes under /dev that a process could have open: disks, displays, VFIO and whatever else a
    /// driver makes. Of network cards only InfiniBand has any, bridges have none.
    @inline(__always) var mayBeOpen: Bool {
        if vfio.group != nil || vfio.cdev != nil || !blockDevices.isEmpty || !infinibandDevices.isEmpty { return true }
        if !drmCards.isEmpty || !renderNodes.isEmpty || !framebuffers.isEmpty || !scsiHosts.isEmpty { return true }
        guard let driver else { return false }
        // Storage, displays, multimedia, communication, coprocessors and accelerators.
        switch classID >> 16 {
        case 0x01, 0x03, 0x04, 0x07, 0x0b, 0x12: return !DriverPolicy.harmless.contains(driver)
        default: return false
        }
    }
}

/// `a, b and c`; past the first few, how many more there are.
func enumerated(_ items: [String], limit: Int = 4) -> String {
    guard items.count > 1 else { return items.first ?? "" }
    guard items.count <= limit else {
        return items.prefix(limit).joined(separator: ", ") + " and \(items.count - limit) more"
    }
    return items.dropLast().joined(separator: ", ") + " and " + items[items.count - 1]
}

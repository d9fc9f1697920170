internal import HostAccess
internal import PCI

/// Finds who uses each device of a snapshot, from plain files alone: nothing is opened that could wake or hold a device.
///
/// - disks: `/proc/self/mountinfo`, `/proc/swaps`, `holders` of each disk and partition, `/sys/fs/btrfs`;
/// - interfaces: `/proc/net/{route,ipv6_route,if_inet6,fib_trie}`, the `master` and `upper_*` links of each;
/// - VFIO: `/proc/*/fd`, walked only when some device has a node under /dev/vfio.
///
/// What could not be looked at becomes one of the snapshot's notes: silence would read as "unused".
struct UseReader {
    private let host: any HostAccess

    init(_ host: any HostAccess) { self.host = host }

    /// Fills in the uses of every device.
    func read(into snapshot: inout HostSnapshot) {
        let hasDisks = snapshot.devices.contains { !$0.blockDevices.isEmpty }
        if hasDisks { readDisks(into: &snapshot) }
        let hasInterfaces = snapshot.devices.contains { !$0.interfaces.isEmpty }
        if hasInterfaces { readInterfaces(into: &snapshot) }
        let hasNodes = snapshot.devices.contains { $0.vfio.group != nil || $0.vfio.cdev != nil }
        if hasNodes { readVFIO(into: &snapshot) }
        addVirtualFunctions(to: &snapshot)
    }

    private func readDisks(into snapshot: inout HostSnapshot) {
        let disks = DiskUses(on: host, otherDisks: snapshot.otherBlockDevices)
        snapshot.notes += disks.notes
        for index in snapshot.devices.indices {
            for disk in snapshot.devices[index].blockDevices { snapshot.devices[index].uses += disks.uses(of: disk) }
        }
    }

    private func readInterfaces(into snapshot: inout HostSnapshot) {
        let interfaces = InterfaceUses(on: host)
        snapshot.notes += interfaces.notes
        for index in snapshot.devices.indices {
            for name in snapshot.devices[index].interfaces {
                snapshot.devices[index].uses += interfaces.uses(of: name)
            }
        }
    }

    private func readVFIO(into snapshot: inout HostSnapshot) {
        let holders = VFIOHolders(on: host)
        snapshot.notes += holders.notes
        for index in snapshot.devices.indices {
            let nodes = snapshot.devices[index].vfio
            snapshot.devices[index].uses += holders.uses(of: [nodes.group, nodes.cdev].compactMap(\.self))
        }
    }

    /// A physical function is in use when one of its virtual functions is: they go when it changes its driver.
    private func addVirtualFunctions(to snapshot: inout HostSnapshot) {
        for index in snapshot.devices.indices {
            guard let functions = snapshot.devices[index].sriov?.virtualFunctions, !functions.isEmpty else { continue }
            let used = functions.enumerated().compactMap { number, address -> String? in
                guard let place = snapshot.index(of: address) else { return nil }
                if let use = snapshot.devices[place].uses.first {
                    return "VF \(number) (\(address)) is in use: \(use.detail)"
                }
                guard let driver = snapshot.devices[place].driver, DriverPolicy.isVFIO(driver) else { return nil }
                return "VF \(number) (\(address)) is bound to \(driver)"
            }
            if !used.isEmpty { snapshot.devices[index].uses.append(Use(by: .vf, detail: enumerated(used))) }
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

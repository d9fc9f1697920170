public import Host
public import HostAccess
internal import Changes
internal import PCI
internal import Readiness
internal import VFIO

/// A host, read whole: what every command that looks at a host, or plans a change of it, asks.
///
/// Written into a directory, it is what `CapturedDirectory` and `SimulatedHost` read: they give the same snapshot, on another
/// machine and for another user too.
public struct HostCapture: Sendable {
    /// The host as it was read.
    public private(set) var snapshot: HostSnapshot
    /// The answers, as files, directories and links.
    public var tree: CaptureTree
    /// The host's own name, for `redact`. It is not in the tree: no snapshot asks for it.
    let hostNames: [String]
    /// Whether `redact` was called.
    public internal(set) var isRedacted = false

    /// Reads a host, changing nothing.
    ///
    /// - Parameters:
    ///   - host: the machine; or a capture, to copy it.
    ///   - progress: told what is being read.
    /// - Throws: what `HostSnapshot.read` throws: there is no sysfs, or it may not be read.
    public static func take(of host: any HostAccess, progress: (String) -> Void = { _ in }) throws(HostAccessError)
        -> HostCapture
    {
        let recorder = RecordingHost(host)
        let snapshot = try ask(recorder, progress)
        progress("putting the answers together")
        let names = ["/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname"].compactMap { host.optionalText($0) }
        return HostCapture(snapshot: snapshot, tree: recorder.tree(), hostNames: names)
    }

    /// Whether a captured directory reads as this host did; of a redacted one, whether it has the same devices, used by the
    /// same kinds of users.
    public func isEqual(to capture: any HostAccess) throws(HostAccessError) -> Bool {
        let other = try Self.ask(capture) { _ in }
        return isRedacted ? Self.outline(other) == Self.outline(snapshot) : other == snapshot
    }

    private static func outline(_ snapshot: HostSnapshot) -> HostSnapshot {
        var outline = HostSnapshot(devices: [], groups: snapshot.groups, drivers: snapshot.drivers)
        outline.devices = snapshot.devices.map { device in
            Device(
                address: device.address, identity: device.identity, classID: device.classID, revision: device.revision,
                driver: device.driver, driverOverride: device.driverOverride, iommuGroup: device.iommuGroup,
                numaNode: device.numaNode, physicalFunction: device.physicalFunction, vfIndex: device.vfIndex,
                sriov: device.sriov, blockDevices: device.blockDevices, vfio: device.vfio,
                uses: device.uses.map { Use(by: $0.by, detail: "") }, problems: device.problems)
        }
        return outline
    }

    /// Every question that a command asks.
    private static func ask(_ host: any HostAccess, _ progress: (String) -> Void) throws(HostAccessError)
        -> HostSnapshot
    {
        progress("reading devices, groups and who uses them")
        var snapshot = try HostSnapshot.read(from: host)
        let addresses = snapshot.devices.map(\.address)
        snapshot.readSignatures(of: addresses, from: host)
        for (index, address) in addresses.enumerated() {
            progress("reading device \(index + 1) of \(addresses.count): \(address)")
            snapshot.readHardware(of: [address], from: host)
            guard let device = snapshot.device(at: address) else { continue }
            _ = InterruptSnapshot.read(from: host, of: device)
            askForSimulator(device, host)
        }
        progress("reading why groups are as they are")
        _ = snapshot.isolation(on: host)
        progress("reading what makes the host ready")
        _ = Readiness.check(host, snapshot, devices: snapshot.devices, guestMemory: MemorySize("1G"))
        for group in snapshot.groups { Self.list("/sys/kernel/iommu_groups/\(group.id)/devices", host) }
        // A journal that makes no sense is captured all the same: the simulated host then complains of it as this one does.
        do { _ = try Journal(of: host).origins() } catch {}
        do { _ = try Journal(of: host).change() } catch {}
        return snapshot
    }

    /// What the simulated kernel knows a device by, and no snapshot reads.
    private static func askForSimulator(_ device: Device, _ host: any HostAccess) {
        var names = ["vendor", "device", "class", "revision", "subsystem_vendor", "subsystem_device"]
        if device.sriov != nil { names.append("sriov_vf_device") }
        for name in names { _ = host.optionalText(device.path + "/" + name) }
        for node in [device.vfio.group, device.vfio.cdev] { if let node { _ = host.exists(node) } }
    }

    private static func list(_ path: String, _ host: any HostAccess) {
        // What is not there is not there in the capture either.
        do { _ = try host.entries(path) } catch {}
    }
}

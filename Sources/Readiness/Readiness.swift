public import Host
public import HostAccess
public import VFIO

/// The answer of a check: ready when no finding is a failure.
public struct Readiness: Hashable, Sendable {
    /// Every finding: those of the host, then those of each device.
    public var findings: [Finding]

    /// Whether nothing stands in the way.
    public var isReady: Bool { !findings.contains { $0.level == .failure } }

    /// Makes an answer of findings.
    public init(findings: [Finding]) { self.findings = findings }
}

extension Readiness {
    /// Checks a host, and the devices named; nothing is changed, opened or loaded.
    ///
    /// - Parameters:
    ///   - host: the machine, or a capture of one.
    ///   - snapshot: what was read of it.
    ///   - devices: devices to check beyond the host itself; together they are taken to go to one guest.
    ///   - guestMemory: that guest's RAM: how much of it may be pinned, where it may lie, is then checked too.
    public static func check(
        _ host: any HostAccess, _ snapshot: HostSnapshot, devices: [Device] = [], guestMemory: MemorySize? = nil
    ) -> Readiness {
        let files = HostFiles(host: host)
        let rules = UdevRules(on: files)
        let modprobe = ModprobeSettings(on: files)
        let rivals = Rivals(files: files, rules: rules, modprobe: modprobe, snapshot: snapshot)
        let nodes = NodeFindings(files: files, rules: rules)
        let memory = MemoryFindings(files: files, devices: devices, guestMemory: guestMemory)
        var findings = IOMMUFindings(files: files, snapshot: snapshot).findings
        findings += VFIOFindings(files: files, snapshot: snapshot, modprobe: modprobe).findings
        findings += KernelFindings(files: files).findings
        findings += nodes.findings + memory.findings
        findings += rivals.findings(besides: devices)
        let numaNodes = NUMANodes(on: files)
        for device in devices {
            let readiness = DeviceReadiness(device, among: devices, snapshot, files)
            findings += readiness.findings
            if device.isPCIBridge { continue }
            findings += readiness.placement(on: numaNodes) + nodes.findings(about: device)
            findings += rivals.findings(about: device)
        }
        // Those that were not named are told of only where something is wrong.
        let others = snapshot.devices.filter { other in !devices.contains { $0.address == other.address } }
        findings += others.compactMap { VirtualFunctionBuses(of: $0, files)?.finding }.filter { $0.level != .ok }
        return Readiness(findings: findings)
    }
}

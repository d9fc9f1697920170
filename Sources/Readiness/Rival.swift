internal import Host
internal import PCI

/// Something on the host that sets what vfioctl sets, and may set it back.
struct Rival: Equatable {
    /// What it contends for: `vf-owner`, `driver-owner`, `interrupt-owner`.
    var subject: Finding.Subject
    /// What it does, and where that is written.
    var evidence: String
    /// How it is made to stop.
    var cure: String?
    /// The devices it does it to; empty where its settings do not name them.
    var devices: Set<PCIAddress> = []
}

/// All rivals of a host.
struct Rivals {
    private let rivals: [Rival]
    /// What could not be looked at, by what it could hide.
    private let forbidden: [Finding.Subject: [String]]

    init(files: HostFiles, rules: UdevRules, modprobe: ModprobeSettings, snapshot: HostSnapshot) {
        var interfaces: [String: PCIAddress] = [:]
        for device in snapshot.devices { for name in device.interfaces { interfaces[name] = device.address } }
        let network = NetworkRivals(files: files, interfaces: interfaces)
        let libvirt = LibvirtRivals(files: files, interfaces: interfaces)
        let drivers = DriverRivals(files: files, modprobe: modprobe, snapshot: snapshot)
        rivals =
            network.rivals + Self.udev(rules) + KubernetesRivals(files: files).rivals + drivers.rivals + libvirt.rivals
            + IRQBalance(files: files).rivals
        var forbidden: [Finding.Subject: [String]] = [:]
        forbidden[.vfOwner] = network.forbidden + rules.forbidden
        forbidden[.driverOwner] = libvirt.forbidden + drivers.forbidden + rules.forbidden
        self.forbidden = forbidden.filter { !$0.value.isEmpty }
    }

    private static func udev(_ rules: UdevRules) -> [Rival] {
        let numbers = rules.writing("sriov_numvfs").map {
            Rival(
                subject: .vfOwner, evidence: "a udev rule sets a number of virtual functions (\($0.place))",
                cure: "take the rule out, or leave the number to it")
        }
        let drivers = rules.writing("driver_override").map {
            Rival(
                subject: .driverOwner, evidence: "a udev rule sets driver_override (\($0.place))",
                cure: "take the rule out, or leave the driver to it")
        }
        return numbers + drivers
    }

    /// What is said of the host, without what is said of the devices named.
    func findings(besides devices: [Device]) -> [Finding] {
        let chosen = Set(devices.map(\.address))
        let nobody: [(subject: Finding.Subject, text: String)] = [
            (
                .vfOwner,
                "nobody else sets numbers of virtual functions: not NetworkManager, systemd.link, udev or an SR-IOV operator"
            ),
            (.driverOwner, "nobody else gives devices to drivers: not driverctl, modprobe.d, udev or libvirt"),
            (.interruptOwner, "nobody else places interrupts: no irqbalance runs (/run/irqbalance)"),
        ]
        return nobody.flatMap { subject, text -> [Finding] in
            var findings = rivals.filter { $0.subject == subject && $0.devices.isDisjoint(with: chosen) }
                .map { Finding(subject, $0.devices.isEmpty ? .warning : .note, $0.evidence, cure: $0.cure) }
            if let places = forbidden[subject] {
                findings.append(
                    Finding(subject, .note, "not permitted to look at \(list(places))", cure: "run as root"))
            }
            if findings.isEmpty, !rivals.contains(where: { $0.subject == subject }) {
                findings.append(Finding(subject, .ok, text))
            }
            return findings
        }
    }

    /// What is said of one device.
    func findings(about device: Device) -> [Finding] {
        rivals.filter { $0.devices.contains(device.address) }.map {
            Finding($0.subject, .warning, $0.evidence, cure: $0.cure, device: device.address)
        }
    }
}

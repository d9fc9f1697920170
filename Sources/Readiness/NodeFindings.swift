internal import Host
internal import HostAccess

/// The findings about the nodes through which VFIO is opened: who may, and which udev rule says so.
struct NodeFindings {
    let files: HostFiles
    let rules: UdevRules

    private static let container = "/dev/vfio/vfio"
    private static let iommufd = "/dev/iommu"

    var findings: [Finding] { [access, permissions].compactMap(\.self) }

    // MARK: this process

    private var access: Finding {
        let nodes = [Self.container, Self.iommufd]
        let answers = nodes.map { (node: $0, may: files.host.mayOpen($0)) }
        let refused = answers.filter { $0.may == false }.map(\.node)
        if !refused.isEmpty {
            return Finding(
                .access, .warning, "this user may not open \(list(refused))",
                cure: "run as root, or let a udev rule give the nodes to a group that this user is in")
        }
        let allowed = answers.filter { $0.may == true }.map(\.node)
        if !allowed.isEmpty { return Finding(.access, .ok, "this user may open \(list(allowed))") }
        return Finding(
            .access, .note,
            "neither \(nodes[0]) nor \(nodes[1]) can be tried here: VFIO is not loaded yet, or this is a capture")
    }

    // MARK: the nodes' modes

    /// The container gives nothing by itself and is meant for everyone (Documentation/driver-api/vfio.rst); an update of
    /// systemd made it 0600 all the same.
    private var permissions: Finding? {
        guard let container = files.host.permissions(of: Self.container) else {
            guard let node = described(Self.iommufd, kernelName: "iommu", subsystem: "misc") else { return nil }
            return Finding(.nodePermissions, .ok, node)
        }
        let nodes = [
            described(Self.container, kernelName: "vfio", subsystem: "misc"),
            described(Self.iommufd, kernelName: "iommu", subsystem: "misc"),
        ].compactMap(\.self)
        let evidence = nodes.joined(separator: "; ")
        guard container.isForOwnerAlone else { return Finding(.nodePermissions, .ok, evidence) }

        let rule = rules.setting(kernelName: "vfio", subsystem: "misc")
        let intended = rule?.mode.flatMap { UInt32($0, radix: 8) }
        let entry = TmpfilesEntries(on: files).entries(of: Self.container).first { $0.mode != intended }
        var said = evidence + ": only root can open a container, and QEMU or libvirt as another user cannot"
        if let entry { said += "; \(entry.place) makes it \(entry.text)" }
        let lasting =
            intended.map { $0 & 0o006 == 0o006 } == true
            ? "write \"z \(Self.container) 0666 - - -\" to /etc/tmpfiles.d/vfio.conf, so that it stays"
            : "write KERNEL==\"vfio\", SUBSYSTEM==\"misc\", MODE=\"0666\" to /etc/udev/rules.d/70-vfio.rules"
        return Finding(
            .nodePermissions, .warning, said, cure: "\(lasting); then udevadm trigger \(Self.container)")
    }

    /// `/dev/vfio/vfio is 0666 0:0, as /usr/lib/udev/rules.d/50-udev-default.rules:99 has it`.
    private func described(_ node: String, kernelName: String, subsystem: String) -> String? {
        guard let permissions = files.host.permissions(of: node) else { return nil }
        return "\(node) is \(permissions)" + rulePhrase(permissions, kernelName: kernelName, subsystem: subsystem)
    }

    private func rulePhrase(_ permissions: NodePermissions, kernelName: String, subsystem: String) -> String {
        guard let rule = rules.setting(kernelName: kernelName, subsystem: subsystem) else {
            return rules.forbidden.isEmpty
                ? " (no udev rule sets it)" : " (not permitted to look at \(list(rules.forbidden)))"
        }
        let wanted = [
            rule.mode.map { "MODE \($0)" }, rule.owner.map { "OWNER \($0)" }, rule.group.map { "GROUP \($0)" },
        ].compactMap(\.self)
        let holds = rule.mode.map { UInt32($0, radix: 8) == permissions.mode } ?? true
        return holds ? ", as \(rule.place) sets it" : ", though \(rule.place) sets \(list(wanted))"
    }

    // MARK: a device's own nodes

    /// The group's node and the device's own, while a VFIO driver has it.
    func findings(about device: Device) -> [Finding] {
        let nodes = [(device.vfio.group, "vfio"), (device.vfio.cdev, "vfio-dev")]
        let said = nodes.compactMap { node, subsystem -> String? in
            guard let node, let name = node.split(separator: "/").last else { return nil }
            return described(node, kernelName: String(name), subsystem: subsystem)
        }
        guard !said.isEmpty else { return [] }
        return [Finding(.deviceNode, .ok, said.joined(separator: "; "), device: device.address)]
    }
}

/// What tmpfiles.d(5) does to nodes: systemd writes one such file from the kernel's list of static nodes, at each boot.
struct TmpfilesEntries {
    struct Entry: Equatable {
        /// As it stands there: `0600`.
        var text: String
        var mode: UInt32
        /// `/run/tmpfiles.d/static-nodes.conf:2`.
        var place: String
    }

    private let files: HostFiles

    init(on files: HostFiles) { self.files = files }

    /// The lines that set the mode of a path.
    func entries(of node: String) -> [Entry] {
        var seen: Set<String> = []
        var entries: [Entry] = []
        for directory in ["/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d"] {
            for name in files.names(in: directory) where name.hasSuffix(".conf") && seen.insert(name).inserted {
                guard let text = files.text("\(directory)/\(name)").content else { continue }
                for (number, line) in joinedLines(text) {
                    let words = line.split(whereSeparator: \.isWhitespace)
                    guard words.count >= 3, words[1] == node, let mode = UInt32(words[2], radix: 8) else { continue }
                    entries.append(Entry(text: String(words[2]), mode: mode, place: "\(directory)/\(name):\(number)"))
                }
            }
        }
        return entries
    }
}

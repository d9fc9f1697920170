internal import PCI

/// Who sets numbers of virtual functions along with an interface: NetworkManager's connections, systemd's .link files, the
/// scripts that came before them.
struct NetworkRivals {
    private(set) var rivals: [Rival] = []
    private(set) var forbidden: [String] = []

    private let files: HostFiles
    private let interfaces: [String: PCIAddress]

    init(files: HostFiles, interfaces: [String: PCIAddress]) {
        self.files = files
        self.interfaces = interfaces
        readNetworkManager()
        readLinks()
        readScripts()
    }

    /// Every file of these directories, the earlier one where two have the same name, with its lines by section.
    private mutating func each(
        in directories: [String], ending suffix: String, _ body: (_ path: String, _ file: SectionedFile) -> Rival?
    ) {
        var seen: Set<String> = []
        for directory in directories {
            let listing = files.listing(directory)
            if listing.isForbidden { forbidden.append(directory) }
            for name in listing.content ?? [] where name.hasSuffix(suffix) && seen.insert(name).inserted {
                let path = "\(directory)/\(name)"
                let text = files.text(path)
                if text.isForbidden { forbidden.append(path) }
                guard let content = text.content, let rival = body(path, SectionedFile(content)) else { continue }
                rivals.append(rival)
            }
        }
    }

    private func addresses(of interface: String?) -> Set<PCIAddress> {
        guard let interface, let address = interfaces[interface] else { return [] }
        return [address]
    }

    /// nm-settings-keyfile(5): `[sriov] total-vfs=`.
    private mutating func readNetworkManager() {
        let directories = ["/etc", "/run", "/usr/lib"].map { $0 + "/NetworkManager/system-connections" }
        each(in: directories, ending: "") { [self] path, file in
            guard let setting = file.value("total-vfs", in: "sriov"), setting.value != "0" else { return nil }
            let interface = file.value("interface-name", in: "connection")?.value
            return Rival(
                subject: .vfOwner,
                evidence: "NetworkManager sets \(setting.value) virtual functions"
                    + (interface.map { " of \($0)" } ?? "") + " (total-vfs at \(path):\(setting.line))",
                cure: "nmcli connection modify the connection with sriov.total-vfs 0, or leave the number to it",
                devices: addresses(of: interface))
        }
    }

    /// systemd.link(5): `SR-IOVVirtualFunctions=`.
    private mutating func readLinks() {
        let directories = ["/etc", "/run", "/usr/local/lib", "/usr/lib"].map { $0 + "/systemd/network" }
        each(in: directories, ending: ".link") { [self] path, file in
            guard let setting = file.value("SR-IOVVirtualFunctions", in: "Link") else { return nil }
            let name = file.value("OriginalName", in: "Match")?.value
            // Path=pci-0000:01:00.0, the ID_PATH that udev gives the interface.
            let device = file.value("Path", in: "Match").flatMap { PCIAddress($0.value.dropPrefix("pci-")) }
            return Rival(
                subject: .vfOwner,
                evidence: "udev sets \(setting.value) virtual functions"
                    + ((device?.description ?? name).map { " of \($0)" } ?? "")
                    + " (SR-IOVVirtualFunctions at \(path):\(setting.line))",
                cure: "take the line out, or leave the number to it",
                devices: device.map { [$0] } ?? addresses(of: name))
        }
    }

    /// `SRIOV_TOTAL_VFS=` of ifcfg files.
    private mutating func readScripts() {
        each(in: ["/etc/sysconfig/network-scripts"], ending: "") { [self] path, file in
            guard path.contains("/ifcfg-"), let setting = file.value("SRIOV_TOTAL_VFS", in: nil), setting.value != "0"
            else { return nil }
            let interface = file.value("DEVICE", in: nil)?.value
            return Rival(
                subject: .vfOwner,
                evidence: "\(setting.value) virtual functions\(interface.map { " of \($0)" } ?? "") are set when the "
                    + "interface comes up (SRIOV_TOTAL_VFS at \(path):\(setting.line))",
                cure: "take the line out, or leave the number to it", devices: addresses(of: interface))
        }
    }
}

/// A file of `[Section]` and `key=value` lines: keyfiles, units, and shell variables, which have no section.
struct SectionedFile {
    struct Setting: Equatable {
        var section: Substring?
        var key: Substring
        var value: String
        var line: Int
    }

    private(set) var settings: [Setting] = []

    init(_ text: String) {
        var section: Substring?
        for (number, line) in joinedLines(text) {
            if line.hasPrefix("["), line.hasSuffix("]") {
                section = Substring(line).dropFirst().dropLast()
            } else if !line.hasPrefix(";"), let equals = line.firstIndex(of: "=") {
                let key = line[..<equals].trimmingSpaces
                let value = line[line.index(after: equals)...].trimmingSpaces
                let isQuoted = value.count > 1 && value.hasPrefix("\"") && value.hasSuffix("\"")
                settings.append(
                    Setting(
                        section: section, key: key, value: String(isQuoted ? value.dropFirst().dropLast() : value),
                        line: number))
            }
        }
    }

    /// The last value of a key in a section.
    func value(_ key: String, in section: String?) -> (value: String, line: Int)? {
        settings.last { $0.key == key && $0.section.map(String.init) == section }.map { ($0.value, $0.line) }
    }
}

extension StringProtocol where SubSequence == Substring {
    fileprivate var trimmingSpaces: Substring {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}

extension String {
    fileprivate func dropPrefix(_ prefix: String) -> Substring {
        hasPrefix(prefix) ? dropFirst(prefix.count) : self[...]
    }
}

internal import HostAccess

/// Who uses network interfaces: addresses and routes of the host, and what they are part of.
///
/// The tables under /proc/net are those of the reader's network namespace, like the interfaces in /sys/class/net. They
/// name no IPv4 address's interface: an address is counted to every interface whose connected network it lies in.
struct InterfaceUses {
    private let host: any HostAccess
    private let network: NetworkTables

    init(on host: any HostAccess) {
        self.host = host
        network = NetworkTables(on: host)
    }

    /// What could not be looked at.
    var notes: [String] { network.notes }

    /// Every use of an interface.
    func uses(of name: String) -> [Use] {
        var uses: [Use] = []
        if let addresses = network.addresses[name] {
            uses.append(Use(by: .address, detail: "\(name) has \(enumerated(addresses))"))
        }
        if let routes = network.routes[name] {
            uses.append(
                Use(by: .route, detail: "\(enumerated(routes)) \(routes.count == 1 ? "goes" : "go") through \(name)"))
        }
        let master = host.linkName("/sys/class/net/\(name)/master")
        var seen: Set<String> = [name]
        if let master {
            let detail = "\(name) is part of the \(kind(of: master)) \(description(of: master, &seen))"
            uses.append(Use(by: .enslaved, detail: detail))
        }
        for upper in uppers(of: name) where upper != master {
            uses.append(Use(by: .stacked, detail: "\(description(of: upper, &seen)) is stacked on \(name)"))
        }
        return uses
    }

    private func kind(of master: String) -> String {
        let path = "/sys/class/net/" + master
        if host.exists(path + "/bonding") { return "bond" }
        if host.exists(path + "/bridge") { return "bridge" }
        return master == "ovs-system" ? "Open vSwitch" : "team or switch"
    }

    /// `bond0 (192.168.1.5; the default route)`, and what is above it in turn.
    private func description(of name: String, _ seen: inout Set<String>) -> String {
        guard seen.insert(name).inserted else { return name }
        var parts = network.addresses[name].map { [enumerated($0)] } ?? []
        if let routes = network.routes[name] { parts.append(enumerated(routes)) }
        for upper in uppers(of: name) { parts.append("under \(description(of: upper, &seen))") }
        return parts.isEmpty ? name : "\(name) (\(parts.joined(separator: "; ")))"
    }

    /// Interfaces on top of this one: VLANs, macvlans, and its master.
    private func uppers(of name: String) -> [String] {
        let prefix = "upper_"
        do {
            return try host.entries("/sys/class/net/" + name).filter { $0.hasPrefix(prefix) }
                .map { String($0.dropFirst(prefix.count)) }.sorted()
        } catch {
            return []
        }
    }
}

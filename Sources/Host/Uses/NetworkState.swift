internal import HostAccess
internal import Netlink

/// The host's interfaces with their addresses and routes, and what stands on what: as netlink tells it, or as the files
/// under /proc/net and /sys/class/net do.
///
/// It is that of the reader's network namespace, like the interfaces in /sys/class/net.
struct NetworkState {
    /// One interface.
    struct Interface {
        var link: Link
        var addresses: [InterfaceAddress] = []
        /// The ways that default routes go through it, those of the main table first.
        var defaultRoutes: [Way] = []
        /// The ways that all other routes go through it, those of the main table first.
        var otherRoutes: [Way] = []
        /// The interfaces that stand on it, by position; its master is not among them.
        var uppers: [Int] = []
    }

    /// One of the ways that a route goes, by position: routes can be many, and few are ever shown.
    struct Way {
        var route: Int
        var hop: Int
    }

    /// Every interface, in the order of the source.
    private(set) var interfaces: [Interface]
    /// What could not be looked at, one sentence each.
    private(set) var unseen: [String]

    private let routes: [Route]
    private var byName: [String: Int] = [:]
    private var byIndex: [Int32: Int] = [:]
    /// The master of each interface, by position.
    private var masters: [Int?] = []
    /// Open vSwitch's datapaths: each is the master of all members, whatever bridges they are in.
    private var datapaths: Set<Int> = []

    init(links: [Link], addresses: [InterfaceAddress], routes: [Route], unseen: [String]) {
        interfaces = links.map { Interface(link: $0) }
        self.routes = routes
        self.unseen = unseen
        for (position, link) in links.enumerated() {
            byIndex[link.index] = position
            byName[link.name] = position
        }
        masters = links.map { link in link.master.flatMap { byIndex[$0] } }
        datapaths = Set(masters.compactMap(\.self).filter { links[$0].kind == "openvswitch" })
        for (position, link) in links.enumerated() {
            // The index of a lower link in another namespace says nothing here; a veth's peer is beside it, not below.
            if let lower = link.lower.flatMap({ byIndex[$0] }), link.lowerNamespace == nil, link.kind != "veth",
                link.kind != "netkit", lower != position
            {
                interfaces[lower].uppers.append(position)
            }
        }
        for address in addresses {
            if let position = byIndex[address.interface] { interfaces[position].addresses.append(address) }
        }
        for (number, route) in routes.enumerated() where route.isOwnDecision {
            for (hop, way) in route.nextHops.enumerated() {
                guard let position = way.interface.flatMap({ byIndex[$0] }) else { continue }
                if route.destination.length == 0 {
                    interfaces[position].defaultRoutes.append(Way(route: number, hop: hop))
                } else {
                    interfaces[position].otherRoutes.append(Way(route: number, hop: hop))
                }
            }
        }
        for position in interfaces.indices {
            interfaces[position].defaultRoutes = mainTableFirst(interfaces[position].defaultRoutes)
            interfaces[position].otherRoutes = mainTableFirst(interfaces[position].otherRoutes)
        }
    }

    private func mainTableFirst(_ ways: [Way]) -> [Way] {
        let isMain = { (way: Way) in routes[way.route].table == Route.mainTable }
        guard ways.count > 1, !ways.allSatisfy(isMain) else { return ways }
        return ways.filter(isMain) + ways.filter { !isMain($0) }
    }

    // MARK: looking up

    /// Where the interface of that name is.
    func position(of name: String) -> Int? { byName[name] }

    /// The master of an interface.
    func master(of position: Int) -> Int? { masters[position] }

    /// The interfaces that have this address as their own.
    func positions(withAddress address: IPAddress) -> [Int] {
        interfaces.indices.filter { interfaces[$0].addresses.contains { $0.local == address } }
    }

    /// The interfaces that packets for this address leave through, by the main table: those of the longest route that
    /// contains it, of several the one of the lowest metric.
    func positions(toward address: IPAddress) -> [Int] {
        var best: Route?
        for route in routes where route.table == Route.mainTable && route.destination.contains(address) {
            guard route.kind == .unicast, !route.isCached, !route.nextHops.isEmpty else { continue }
            if let best, (best.destination.length, route.metric) >= (route.destination.length, best.metric) { continue }
            best = route
        }
        return (best?.nextHops ?? []).compactMap { hop in hop.interface.flatMap { byIndex[$0] } }
    }

    /// The interfaces that stand on this one, directly or not, itself among them.
    func above(_ position: Int) -> Set<Int> {
        var found: Set<Int> = [position]
        var rest = [position]
        while let next = rest.popLast() {
            for upper in directlyAbove(next) where found.insert(upper).inserted { rest.append(upper) }
        }
        return found
    }

    /// The master of an interface, and what else stands on it. On Open vSwitch's datapath stand its internal ports, which no
    /// link says: any of them may be reached through any member. Those that nothing is on are left out.
    func directlyAbove(_ position: Int) -> [Int] {
        var above = interfaces[position].uppers
        if let master = masters[position] { above.insert(master, at: 0) }
        if datapaths.contains(position) {
            above += interfaces.indices.filter { other in
                interfaces[other].link.kind == "openvswitch" && !datapaths.contains(other) && carriesSomething(other)
            }
        }
        return above
    }

    private func carriesSomething(_ position: Int) -> Bool {
        let interface = interfaces[position]
        return !addresses(of: position).isEmpty || !interface.uppers.isEmpty || !interface.defaultRoutes.isEmpty
            || !interface.otherRoutes.isEmpty
    }

    // MARK: words

    /// `192.168.1.5`; link-local IPv6, which every interface that is up gives itself, is left out.
    func addresses(of position: Int) -> [String] {
        var texts: [String] = []
        for address in interfaces[position].addresses where !address.local.isIPv6LinkLocal {
            let text = "\(address.local)" + (address.peer.map { " (peer \($0))" } ?? "")
            if !texts.contains(text) { texts.append(text) }
        }
        return texts
    }

    /// The routes through an interface for a sentence, default routes first: of many, the first few and how many more.
    func routes(through position: Int) -> (text: String, count: Int)? {
        let interface = interfaces[position]
        var texts: [String] = []
        var more = 0
        for ways in [interface.defaultRoutes, interface.otherRoutes] {
            for (place, way) in ways.enumerated() {
                guard texts.count < 4 else {
                    more += ways.count - place
                    break
                }
                let text = text(of: way)
                if !texts.contains(text) { texts.append(text) }
            }
        }
        guard !texts.isEmpty else { return nil }
        guard more > 0 else { return (enumerated(texts), texts.count) }
        return (texts.joined(separator: ", ") + " and \(more) more", texts.count + more)
    }

    private func text(of way: Way) -> String {
        let route = routes[way.route]
        let via = route.nextHops[way.hop].gateway.map { " via \($0)" } ?? ""
        let table = route.table == Route.mainTable ? "" : " in table \(route.table)"
        let what = route.destination.length == 0 ? "the default route" : "the route to \(route.destination)"
        return what + via + table
    }

    /// `bond0 (192.168.1.5; the default route via 192.168.1.1; under the VLAN bond0.5)`: an interface with what is on it, all
    /// the way up.
    func description(of position: Int, _ seen: inout Set<Int>, depth: Int = 0) -> String {
        let name = interfaces[position].link.name
        // The kernel stacks no more than 8 interfaces (MAX_NEST_DEV).
        guard seen.insert(position).inserted, depth < 8 else { return name }
        let addresses = addresses(of: position)
        var parts = addresses.isEmpty ? [] : [enumerated(addresses)]
        if let routes = routes(through: position) { parts.append(routes.text) }
        let above = directlyAbove(position)
        for upper in above.prefix(4) {
            parts.append("under \(named(upper, &seen, depth: depth + 1))")
        }
        if above.count > 4 { parts.append("under \(above.count - 4) more") }
        return parts.isEmpty ? name : "\(name) (\(parts.joined(separator: "; ")))"
    }

    /// `the VLAN bond0.5 (10.0.0.1)`: an interface by its kind, with what is on it.
    func named(_ position: Int, _ seen: inout Set<Int>, depth: Int = 0) -> String {
        let text = description(of: position, &seen, depth: depth)
        return interfaces[position].link.kindForPeople.map { "the \($0) \(text)" } ?? text
    }
}

extension Link {
    /// What a person calls its kind; nil for one of no kind that is known.
    var kindForPeople: String? {
        switch kind {
        case nil, "": nil
        case "vlan": "VLAN"
        case "vrf": "VRF"
        case "vxlan": "VXLAN"
        case "openvswitch": "Open vSwitch"
        case .some(let kind): kind
        }
    }
}

extension Route {
    /// Whether somebody wants packets to go there: not what an address brings with it (its connected network, local
    /// delivery, link-local and multicast), nor what leads nowhere.
    fileprivate var isOwnDecision: Bool {
        guard kind == .unicast, !isCached, !destination.address.isIPv6LinkLocal else { return false }
        return origin != .kernel || nextHops.contains { $0.gateway != nil }
    }
}

internal import HostAccess
internal import Netlink

extension NetworkState {
    /// Reads the host's links, addresses and routes: netlink's dumps, or, where a capture has none of them, the files
    /// under /proc/net and /sys/class/net.
    init(on host: any HostAccess) {
        let links: Dumped<Link>
        do {
            links = try Dumped(try host.netlinkDump(Link.dump))
        } catch {
            // An older capture has no dumps; a live host may forbid netlink to this process.
            let tables = NetworkTables(on: host)
            self.init(
                links: tables.links, addresses: tables.addresses, routes: tables.routes, unseen: tables.unseen)
            return
        }
        var unseen: [String] = []
        let addresses: Dumped<InterfaceAddress>? = Self.dump("which addresses the host has", host, &unseen)
        let routes: Dumped<Route>? = Self.dump("which routes the host has", host, &unseen)
        if links.wasInterrupted || addresses?.wasInterrupted == true || routes?.wasInterrupted == true {
            unseen.append("could not look at all interfaces, addresses and routes: they kept changing meanwhile")
        }
        let hidden = (routes?.values ?? []).count { $0.nextHops.isEmpty && $0.nextHopObject != nil }
        if hidden > 0 {
            unseen.append(
                "could not look where \(hidden) \(hidden == 1 ? "route goes" : "routes go"): the kernel names only a nexthop "
                    + "object (net.ipv4.nexthop_compat_mode is 0)")
        }
        self.init(
            links: links.values, addresses: addresses?.values ?? [], routes: routes?.values ?? [], unseen: unseen)
    }

    private static func dump<Value: DumpedValue>(
        _ what: String, _ host: any HostAccess, _ unseen: inout [String]
    ) -> Dumped<Value>? {
        let bytes: [UInt8]
        do throws(HostAccessError) {
            bytes = try host.netlinkDump(Value.dump)
        } catch {
            unseen.append("could not look at \(what): \(error)")
            return nil
        }
        do throws(NetlinkError) {
            return try Dumped(bytes)
        } catch {
            unseen.append(
                "could not look at \(what): netlink's dump of every \(Value.dump.rawValue) makes no sense: \(error)")
            return nil
        }
    }
}

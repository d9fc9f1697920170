internal import HostAccess
internal import Netlink
internal import PCI

/// The host's links, addresses and routes as far as plain files tell of them, for a capture that has no netlink dumps.
///
/// The tables under /proc/net name no IPv4 address's interface: an address is counted to every interface whose connected
/// network it lies in, and one that lies in none (a /32, a point-to-point address) to none. Of routing tables they show
/// the main one.
struct NetworkTables {
    /// Numbered in the order of their names: /sys/class/net has the kernel's numbers in a file for each.
    private(set) var links: [Link] = []
    private(set) var addresses: [InterfaceAddress] = []
    private(set) var routes: [Route] = []
    /// What could not be looked at.
    private(set) var unseen: [String] = []

    private let host: any HostAccess
    private var indices: [String: Int32] = [:]

    init(on host: any HostAccess) {
        self.host = host
        readLinks()
        readIPv4()
        readIPv6()
    }

    // MARK: links

    private mutating func readLinks() {
        let path = "/sys/class/net/"
        for name in names("/sys/class/net") {
            let index = Int32(truncatingIfNeeded: links.count + 1)
            indices[name] = index
            links.append(Link(index: index, name: name))
        }
        var masters: Set<Int32> = []
        let upper = "upper_"
        for position in links.indices {
            let name = links[position].name
            links[position].master = host.linkName("\(path)\(name)/master").flatMap { indices[$0] }
            if let master = links[position].master { masters.insert(master) }
            for entry in names(path + name) where entry.hasPrefix(upper) {
                guard let above = indices[String(entry.dropFirst(upper.count))], above != links[position].master else {
                    continue
                }
                links[Int(above) - 1].lower = links[position].index
                links[Int(above) - 1].kind = kind(of: links[Int(above) - 1].name)
            }
        }
        for master in masters { links[Int(master) - 1].kind = kind(of: links[Int(master) - 1].name) }
    }

    /// What an interface's `uevent` says, or the directory that a bond or bridge has.
    private func kind(of name: String) -> String? {
        let path = "/sys/class/net/" + name
        let key = "DEVTYPE="
        if let line = host.optionalText(path + "/uevent")?.split(separator: "\n").first(where: { $0.hasPrefix(key) }) {
            return String(line.dropFirst(key.count))
        }
        if host.exists(path + "/bonding") { return "bond" }
        if host.exists(path + "/bridge") { return "bridge" }
        return name == "ovs-system" ? "openvswitch" : nil
    }

    private func names(_ path: String) -> [String] {
        do { return try host.entries(path).sorted() } catch { return [] }
    }

    // MARK: tables

    private mutating func table(_ name: String, tells what: String) -> [[Substring]] {
        do {
            let text = String(decoding: try host.read("/proc/net/" + name, limit: 64 << 20), as: UTF8.self)
            return text.split(separator: "\n").map { $0.split(whereSeparator: { $0 == " " || $0 == "\t" }) }
        } catch {
            unseen.append("could not look at \(what) (neither netlink's dump nor /proc/net/\(name) is there)")
            return []
        }
    }

    // MARK: IPv4

    private mutating func readIPv4() {
        // Routes to a network itself, by that network: where an address of the host's may be.
        var connected: [IPPrefix: [Int]] = [:]
        // Iface Destination Gateway Flags RefCnt Use Metric Mask …
        for fields in table("route", tells: "which IPv4 routes the host has") {
            guard fields.count >= 8, let flags = UInt32(fields[3], radix: 16), flags & RouteFlag.up != 0,
                flags & RouteFlag.reject == 0, let destination = Self.address(fields[1]),
                let gateway = Self.address(fields[2]), case .v4(let mask)? = Self.address(fields[7]),
                let prefix = IPPrefix(destination, length: mask.nonzeroBitCount), let index = indices[String(fields[0])]
            else { continue }
            let isDirect = gateway.isUnspecified
            if isDirect, prefix.length > 0 { connected[prefix, default: []].append(routes.count) }
            routes.append(
                Route(
                    destination: prefix, nextHops: [.init(interface: index, gateway: isDirect ? nil : gateway)],
                    metric: UInt32(fields[6]) ?? 0))
        }
        let lengths = Set(connected.keys.map(\.length)).sorted(by: >)
        for address in localIPv4() {
            let around = lengths.lazy.compactMap { length in
                IPPrefix(address, length: length).flatMap { connected[$0] }
            }.first
            guard let around else {
                unseen.append(
                    "could not look which interface has the address \(address): netlink's dump is not there, and "
                        + "/proc/net/route has no network around it")
                continue
            }
            for number in around {
                guard let interface = routes[number].nextHops[0].interface else { continue }
                let length = routes[number].destination.length
                addresses.append(InterfaceAddress(interface: interface, local: address, prefixLength: length))
                routes[number].origin = .kernel
            }
        }
    }

    /// The host's own addresses: leaves of /proc/net/fib_trie that are `/32 host LOCAL`, but for 127.0.0.0/8.
    private mutating func localIPv4() -> [IPAddress] {
        var found: [IPAddress] = []
        var known: Set<IPAddress> = []
        var leaf: IPAddress?
        for fields in table("fib_trie", tells: "which IPv4 addresses the host has") {
            if fields.first == "|--", fields.count == 2 {
                leaf = IPAddress(String(fields[1]))
            } else if fields == ["/32", "host", "LOCAL"], let address = leaf, !address.isLoopback,
                known.insert(address).inserted
            {
                found.append(address)
            }
        }
        return found
    }

    /// The kernel prints the 32 bits of the wire as a number of the machine's own byte order.
    private static func address(_ text: Substring) -> IPAddress? {
        text.utf8.count == 8 ? UInt32(text, radix: 16).map { .v4($0.bigEndian) } : nil
    }

    // MARK: IPv6

    private mutating func readIPv6() {
        // A kernel without IPv6 has neither file, and then there is nothing to know.
        guard host.exists("/proc/net/if_inet6") || host.exists("/proc/net/ipv6_route") else { return }
        var networks: Set<Connected> = []
        // Address, index, prefix length, scope, flags, name; all but the name in hexadecimal.
        for fields in table("if_inet6", tells: "which IPv6 addresses the host has") {
            guard fields.count == 6, let address = Self.longAddress(fields[0]), let length = Int(fields[2], radix: 16),
                let network = IPPrefix(address, length: length), let index = indices[String(fields[5])]
            else { continue }
            addresses.append(InterfaceAddress(interface: index, local: address, prefixLength: length))
            networks.insert(Connected(interface: index, network: network))
        }
        // Destination, length, source, length, next hop, metric, references, use, flags, interface.
        for fields in table("ipv6_route", tells: "which IPv6 routes the host has") {
            guard fields.count == 10, let destination = Self.longAddress(fields[0]),
                let length = Int(fields[1], radix: 16), let prefix = IPPrefix(destination, length: length),
                let hop = Self.longAddress(fields[4]), let flags = UInt32(fields[8], radix: 16),
                let index = indices[String(fields[9])]
            else { continue }
            let unwanted = RouteFlag.reject | RouteFlag.local | RouteFlag.anycast
            guard flags & RouteFlag.up != 0, flags & unwanted == 0, fields[9] != "lo", !destination.isMulticast else {
                continue
            }
            let isConnected = networks.contains(Connected(interface: index, network: prefix))
            routes.append(
                Route(
                    destination: prefix, nextHops: [.init(interface: index, gateway: hop.isUnspecified ? nil : hop)],
                    origin: isConnected ? .kernel : .boot, metric: UInt32(fields[5], radix: 16) ?? 0))
        }
    }

    private struct Connected: Hashable {
        var interface: Int32
        var network: IPPrefix
    }

    private static func longAddress(_ text: Substring) -> IPAddress? {
        let digits = text.utf8.compactMap { hexadecimalDigit($0) }
        guard digits.count == 32, text.utf8.count == 32 else { return nil }
        return IPAddress(bytes: stride(from: 0, to: 32, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
    }
}

/// RTF_* of <linux/route.h> and <linux/ipv6_route.h>.
private enum RouteFlag {
    static let up: UInt32 = 0x1
    static let reject: UInt32 = 0x200
    static let anycast: UInt32 = 0x10_0000
    static let local: UInt32 = 0x8000_0000
}

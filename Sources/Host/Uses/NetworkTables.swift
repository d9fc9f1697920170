internal import HostAccess
internal import PCI

/// The host's addresses and routes, from the tables under /proc/net.
struct NetworkTables {
    /// Addresses by interface: `192.168.1.5`, `2001:db8::5`. Link-local ones, which every interface that is up gives
    /// itself, are left out.
    private(set) var addresses: [String: [String]] = [:]
    /// Routes by interface, for a sentence: `the default route via 192.168.1.1`, `10.0.0.0/8`. What an address brings
    /// with it (its connected network, link-local and multicast) is left out.
    private(set) var routes: [String: [String]] = [:]
    /// What could not be looked at.
    private(set) var notes: [String] = []

    init(on host: any HostAccess) {
        readIPv4(host)
        readIPv6(host)
    }

    private mutating func table(_ name: String, _ host: any HostAccess, tells what: String) -> [[Substring]]? {
        do {
            let text = String(decoding: try host.read("/proc/net/" + name, limit: 64 << 20), as: UTF8.self)
            return text.split(separator: "\n").map { $0.split(whereSeparator: { $0 == " " || $0 == "\t" }) }
        } catch {
            notes.append("/proc/net/\(name) cannot be read, so \(what) not known")
            return nil
        }
    }

    // MARK: IPv4

    private struct IPv4Route {
        var interface: String
        var destination: UInt32
        var gateway: UInt32
        var mask: UInt32

        /// Reads a line of /proc/net/route: Iface Destination Gateway Flags RefCnt Use Metric Mask …
        init?(_ fields: [Substring]) {
            guard fields.count >= 8, let flags = UInt32(fields[3], radix: 16),
                let destination = Self.address(fields[1]), let gateway = Self.address(fields[2]),
                let mask = Self.address(fields[7])
            else { return nil }
            guard flags & RouteFlag.up != 0, flags & RouteFlag.reject == 0 else { return nil }
            interface = String(fields[0])
            (self.destination, self.gateway, self.mask) = (destination, gateway, mask)
        }

        /// The kernel prints the 32 bits of the wire as a number of the machine's own byte order.
        private static func address(_ text: Substring) -> UInt32? {
            text.utf8.count == 8 ? UInt32(text, radix: 16).map(\.bigEndian) : nil
        }
    }

    private mutating func readIPv4(_ host: any HostAccess) {
        let lines = table("route", host, tells: "which IPv4 routes there are is") ?? []
        let table = lines.compactMap(IPv4Route.init)
        var connected: Set<Int> = []
        for address in localIPv4(host) {
            let around = table.indices.filter {
                table[$0].gateway == 0 && address & table[$0].mask == table[$0].destination && table[$0].mask != 0
            }
            let longest = around.map { table[$0].mask }.max()
            for index in around where table[index].mask == longest {
                let interface = table[index].interface
                let text = Self.text(address)
                if addresses[interface]?.contains(text) != true { addresses[interface, default: []].append(text) }
                connected.insert(index)
            }
        }
        for (index, route) in table.enumerated() where !connected.contains(index) {
            let via = route.gateway == 0 ? "" : " via " + Self.text(route.gateway)
            let text =
                route.mask == 0
                ? "the default route" + via
                : "the route to \(Self.text(route.destination))/\(route.mask.nonzeroBitCount)" + via
            add(route: text, to: route.interface, first: route.mask == 0)
        }
    }

    /// The host's own addresses: leaves of /proc/net/fib_trie that are `/32 host LOCAL`, but for 127.0.0.0/8.
    private mutating func localIPv4(_ host: any HostAccess) -> [UInt32] {
        var found: [UInt32] = []
        var leaf: UInt32?
        for fields in table("fib_trie", host, tells: "which IPv4 addresses the host has is") ?? [] {
            if fields.first == "|--", fields.count == 2 {
                leaf = Self.number(fields[1])
            } else if fields == ["/32", "host", "LOCAL"], let address = leaf, address >> 24 != 127,
                !found.contains(address)
            {
                found.append(address)
            }
        }
        return found
    }

    private static func number(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".").map { UInt8($0) }
        guard parts.count == 4 else { return nil }
        return parts.reduce(UInt32?(0)) { value, part in
            guard let value, let part else { return nil }
            return value << 8 | UInt32(part)
        }
    }

    private static func text(_ address: UInt32) -> String {
        [24, 16, 8, 0].map { String(UInt8(truncatingIfNeeded: address >> UInt32($0))) }.joined(separator: ".")
    }

    // MARK: IPv6

    private mutating func readIPv6(_ host: any HostAccess) {
        // A kernel without IPv6 has neither file, and then there is nothing to know.
        guard host.exists("/proc/net/if_inet6") || host.exists("/proc/net/ipv6_route") else { return }
        var networks: [(interface: String, network: [UInt8], length: Int)] = []
        // Address, index, prefix length, scope, flags, name; all but the name in hexadecimal.
        for fields in table("if_inet6", host, tells: "which IPv6 addresses the host has is") ?? [] {
            guard fields.count == 6, let address = Self.bytes(fields[0]), let length = Int(fields[2], radix: 16),
                length <= 128, !Self.isLinkLocal(address), fields[5] != "lo"
            else { continue }
            addresses[String(fields[5]), default: []].append(Self.text(address))
            networks.append((String(fields[5]), Self.prefix(of: address, length), length))
        }
        // Destination, length, source, length, next hop, metric, references, use, flags, interface.
        for fields in table("ipv6_route", host, tells: "which IPv6 routes there are is") ?? [] {
            guard fields.count == 10, let destination = Self.bytes(fields[0]), let length = Int(fields[1], radix: 16),
                length <= 128, let hop = Self.bytes(fields[4]), let flags = UInt32(fields[8], radix: 16)
            else { continue }
            let unwanted = RouteFlag.reject | RouteFlag.local | RouteFlag.anycast
            let interface = String(fields[9])
            guard flags & RouteFlag.up != 0, flags & unwanted == 0, interface != "lo",
                !Self.isLinkLocal(destination), destination[0] != 0xff
            else { continue }
            let isConnected = networks.contains { $0 == (interface, destination, length) }
            if isConnected { continue }
            let via = hop.allSatisfy { $0 == 0 } ? "" : " via " + Self.text(hop)
            let text =
                length == 0 ? "the default route" + via : "the route to \(Self.text(destination))/\(length)" + via
            add(route: text, to: interface, first: length == 0)
        }
    }

    private mutating func add(route: String, to interface: String, first: Bool) {
        if routes[interface]?.contains(route) == true { return }
        if first {
            routes[interface, default: []].insert(route, at: 0)
        } else {
            routes[interface, default: []].append(route)
        }
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        let digits = text.utf8.compactMap { hexadecimalDigit($0) }
        guard digits.count == 32, text.utf8.count == 32 else { return nil }
        return stride(from: 0, to: 32, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    private static func isLinkLocal(_ address: [UInt8]) -> Bool { address[0] == 0xfe && address[1] & 0xc0 == 0x80 }

    private static func prefix(of address: [UInt8], _ length: Int) -> [UInt8] {
        address.enumerated().map { index, byte in
            let bits = min(max(length - index * 8, 0), 8)
            return bits == 8 ? byte : byte & ~(0xff >> UInt8(bits))
        }
    }

    /// RFC 5952: lower case, no leading zeros, the longest run of zero groups as "::".
    static func text(_ address: [UInt8]) -> String {
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(address[$0]) << 8 | UInt16(address[$0 + 1]) }
        var best = 0..<0
        var start = 0
        for end in 0...groups.count where end == groups.count || groups[end] != 0 {
            if end - start > max(best.count, 1) { best = start..<end }
            start = end + 1
        }
        let hex = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
        return best.isEmpty
            ? hex(groups[...]) : hex(groups[..<best.lowerBound]) + "::" + hex(groups[best.upperBound...])
    }
}

/// RTF_* of <linux/route.h> and <linux/ipv6_route.h>.
private enum RouteFlag {
    static let up: UInt32 = 0x1
    static let reject: UInt32 = 0x200
    static let anycast: UInt32 = 0x10_0000
    static let local: UInt32 = 0x8000_0000
}

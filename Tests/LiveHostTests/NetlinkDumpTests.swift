internal import HostAccess
internal import LiveHost
internal import Netlink
internal import Testing

@Suite("Netlink dumps of the live host")
struct NetlinkDumpTests {
    let host = LiveHost()

    @Test("links: the loopback is there, and every interface of /sys/class/net by its number")
    func links() throws {
        let links = try Dumped<Link>(try host.netlinkDump(.link)).values
        let loopback = try #require(links.first { $0.name == "lo" })
        #expect(loopback.index == 1)
        #expect(loopback.flags.contains(.loopback))
        #expect(loopback.hardwareType == 772)
        // Bonding keeps a file of its own there (bonding_masters).
        for name in try host.entries("/sys/class/net") where host.exists("/sys/class/net/\(name)/ifindex") {
            let link = try #require(links.first { $0.name == name }, "\(name)")
            #expect(host.optionalText("/sys/class/net/\(name)/ifindex") == "\(link.index)")
            let text = link.hardwareAddress.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            #expect(host.optionalText("/sys/class/net/\(name)/address") == text.joined(separator: ":"))
        }
    }

    @Test("addresses and routes end as dumps end, and speak of links that there are")
    func addressesAndRoutes() throws {
        let known = Set(try Dumped<Link>(try host.netlinkDump(.link)).values.map(\.index))
        let addresses = try Dumped<InterfaceAddress>(try host.netlinkDump(.address)).values
        #expect(addresses.allSatisfy { known.contains($0.interface) })
        let routes = try Dumped<Route>(try host.netlinkDump(.route)).values
        let ways = routes.flatMap(\.nextHops).compactMap(\.interface)
        #expect(known.isSuperset(of: ways))
        let cached = routes.filter(\.isCached)
        #expect(cached.isEmpty)
        // An interface's own address is a local route.
        for address in addresses where !address.local.isIPv6LinkLocal {
            #expect(routes.contains { $0.kind == .local && $0.destination.contains(address.local) }, "\(address.local)")
        }
    }

    @Test("two dumps of one state are the same bytes, so that captures compare")
    func repeatable() throws { #expect(try host.netlinkDump(.route) == (try host.netlinkDump(.route))) }
}

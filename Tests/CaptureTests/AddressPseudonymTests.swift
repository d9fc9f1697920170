internal import Netlink
internal import Testing

@testable internal import Capture

@Suite("Other IP addresses in the place of a host's own")
struct AddressPseudonymTests {
    func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    /// Learns networks (with a slash) and addresses.
    func pseudonyms(_ texts: String...) throws -> AddressPseudonyms {
        var pseudonyms = AddressPseudonyms()
        for text in texts {
            let parts = text.split(separator: "/")
            let address = try address(String(parts[0]))
            if parts.count == 2 {
                pseudonyms.learn(networkOf: address, length: try #require(Int(parts[1])))
            } else {
                pseudonyms.learn(address)
            }
        }
        pseudonyms.settle()
        return pseudonyms
    }

    @Test("an address stays within its network, a network within a larger one")
    func nesting() throws {
        let map = try pseudonyms(
            "10.0.0.0/8", "10.20.30.0/24", "10.20.30.5", "10.20.30.1", "10.20.30.255", "10.9.9.9", "192.168.7.0/24",
            "192.168.7.77", "8.8.8.8")
        let own = map[try address("10.20.30.5")]
        let network = map[try address("10.20.30.0")]
        let wide = map[try address("10.0.0.0")]
        #expect(own.masked(to: 24) == network)
        #expect(map[try address("10.20.30.1")].masked(to: 24) == network)
        #expect(own.masked(to: 8) == wide)
        #expect(map[try address("10.9.9.9")].masked(to: 8) == wide)
        #expect(map[try address("10.9.9.9")].masked(to: 24) != network)
        #expect(map[try address("192.168.7.77")].masked(to: 24) == map[try address("192.168.7.0")])
        #expect(map[try address("10.20.30.255")].description.hasSuffix(".255"), "a broadcast address stays one")
        for text in ["10.20.30.5", "10.20.30.1", "10.9.9.9", "192.168.7.77", "8.8.8.8", "10.20.30.0", "10.0.0.0"] {
            #expect(map[try address(text)].masked(to: 4).description == "240.0.0.0", "\(text)")
        }
        let given = try ["10.20.30.5", "10.20.30.1", "10.9.9.9", "192.168.7.77", "8.8.8.8"].map { map[try address($0)] }
        #expect(Set(given).count == given.count)
    }

    @Test("a network that is full of others has room for all of them")
    func full() throws {
        var pseudonyms = AddressPseudonyms()
        for quarter in 0..<4 {
            pseudonyms.learn(networkOf: .v4(0xc0a8_0100 | UInt32(quarter) << 6), length: 26)
        }
        for host in 0..<256 { pseudonyms.learn(.v4(0xc0a8_0100 | UInt32(host))) }
        pseudonyms.learn(networkOf: .v4(0xc0a8_0100), length: 24)
        pseudonyms.settle()
        let given = Set((0..<256).map { pseudonyms[.v4(0xc0a8_0100 | UInt32($0))] })
        #expect(given.count == 256)
        #expect(Set(given.map { $0.masked(to: 24) }).count == 1)
        for quarter in 0..<4 {
            let members = (0..<64).map {
                pseudonyms[.v4(0xc0a8_0100 | UInt32(quarter) << 6 | UInt32($0))].masked(to: 26)
            }
            #expect(Set(members).count == 1)
        }
    }

    @Test("what tells nothing is left: loopback, netmasks, multicast, everything")
    func left() throws {
        for text in ["127.0.0.1", "0.0.0.0", "255.255.255.0", "224.0.0.251", "::", "::1", "ff02::1", "128.0.0.0"] {
            #expect(try pseudonyms(text)[address(text)] == address(text))
        }
        #expect(try pseudonyms("0.0.0.0/0", "128.0.0.0/1", "192.0.2.1")[address("0.0.0.0")].isUnspecified)
    }

    @Test("link-local addresses stay link-local, and are others")
    func linkLocal() throws {
        let map = try pseudonyms("fe80::/64", "fe80::5054:ff:fe12:3456", "fe80::1", "169.254.1.2", "169.254.0.0/16")
        let own = map[try address("fe80::5054:ff:fe12:3456")]
        #expect(own.isIPv6LinkLocal)
        #expect(own != (try address("fe80::5054:ff:fe12:3456")))
        #expect(map[try address("fe80::1")] != (try address("fe80::1")))
        #expect(map[try address("fe80::1")] != own)
        #expect(map[try address("169.254.1.2")].masked(to: 16).description == "169.254.0.0")
    }

    @Test("IPv6 networks, and IPv4 within IPv6")
    func ipv6() throws {
        let map = try pseudonyms("2001:db8:1::/48", "2001:db8:1:2::/64", "2001:db8:1:2::99", "192.0.2.1")
        let own = map[try address("2001:db8:1:2::99")]
        #expect(own.masked(to: 3).description == "4000::")
        #expect(own.masked(to: 64) == map[try address("2001:db8:1:2::")])
        #expect(own.masked(to: 48) == map[try address("2001:db8:1::")])
        #expect(map[try address("::ffff:192.0.2.1")].unmapped == map[try address("192.0.2.1")])
    }

    @Test("the same addresses get the same ones again, in whatever order they come")
    func reproducible() throws {
        let one = try pseudonyms("10.0.0.5", "10.0.0.0/24", "192.0.2.7")
        let other = try pseudonyms("192.0.2.7", "10.0.0.0/24", "10.0.0.5")
        for text in ["10.0.0.5", "10.0.0.0", "192.0.2.7"] { #expect(try one[address(text)] == other[address(text)]) }
    }

    @Test("ten thousand routes are no trouble")
    func many() throws {
        var pseudonyms = AddressPseudonyms()
        for number in 0..<UInt32(10_000) {
            pseudonyms.learn(networkOf: .v4(1 << 24 | number << 8), length: number % 2 == 0 ? 24 : 32)
        }
        pseudonyms.settle()
        #expect(pseudonyms[.v4(1 << 24)] != .v4(1 << 24))
    }
}

internal import PCI
internal import Testing

@Suite("PCI addresses")
struct PCIAddressTests {
    @Test("a full address reads back as it was written", arguments: ["0000:01:00.0", "ffff:ff:1f.7", "10000:e1:00.0"])
    func roundTrip(text: String) {
        #expect(PCIAddress(text)?.description == text)
    }

    @Test("a short address is in domain 0")
    func short() {
        #expect(PCIAddress("01:10.2")?.description == "0000:01:10.2")
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", "01", "01:00", "1:00.0", "01:0.0", "01:00.8", "01:20.0", "01:00.0 ", " 01:00.0", "01:00.0x", "01:00.",
            "0000:01:00", "00:0000:01:00.0", "0000:01:00.0.0", "01.00:0", "é1:00.0", "123456789:01:00.0", ":01:00.0",
        ])
    func refused(text: String) {
        #expect(PCIAddress(text) == nil)
    }

    @Test("sorting is by domain, bus, device, function")
    func sorting() {
        let sorted = ["0001:00:00.0", "0000:01:00.1", "0000:00:1f.7", "0000:01:00.0"].compactMap { PCIAddress($0) }
            .sorted()
        #expect(sorted.map(\.description) == ["0000:00:1f.7", "0000:01:00.0", "0000:01:00.1", "0001:00:00.0"])
    }

    @Test("a routing id holds bus, device and function")
    func routingID() {
        let address = PCIAddress("0000:01:10.2")
        #expect(address?.routingID == 0x0182)
        #expect(address.map { PCIAddress(domain: 0, routingID: $0.routingID) } == address)
    }
}

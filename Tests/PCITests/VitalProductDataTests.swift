internal import PCI
internal import Testing

@Suite("Vital Product Data")
struct VitalProductDataTests {
    private func field(_ keyword: String, _ value: String) -> [UInt8] {
        Array(keyword.utf8) + [UInt8(value.utf8.count)] + Array(value.utf8)
    }

    private func resource(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        [tag, UInt8(content.count & 0xff), UInt8(content.count >> 8)] + content
    }

    @Test("name, part and serial number; the checksum and what is writable are left out")
    func fields() {
        let fields =
            field("PN", "  X520-DA2 ") + field("SN", "A0369F12\u{0}\u{0}") + field("RV", "x") + field("SN", "2nd")
        let bytes =
            resource(0x82, Array("Ethernet Card".utf8)) + resource(0x90, fields) + resource(0x91, field("YA", "tag"))
        let data = VitalProductData(bytes: bytes + [0x78])
        #expect(data.productName == "Ethernet Card")
        #expect(data.partNumber == "X520-DA2")
        #expect(data.serialNumber == "A0369F12", "up to the first NUL, and the first of two")
        #expect(data.fields.keys.sorted() == ["PN", "SN"])
    }

    @Test("what would move a terminal's cursor is no text")
    func control() {
        let data = VitalProductData(bytes: resource(0x90, field("SN", "A\u{1b}[2J")))
        #expect(data.serialNumber == "A?[2J")
    }

    @Test(
        "bytes that are no VPD have no fields",
        arguments: [
            [], [0x00], [0xff], [0x90], [0x90, 0xff, 0xff], [0x78, 0x90, 0x05, 0x00, 0x53, 0x4e, 0x02, 0x41, 0x42],
            [0x90, 0x05, 0x00, 0x53, 0x4e, 0xff, 0x41, 0x42], [UInt8](repeating: 0xff, count: 100),
            [0x84, 0x01, 0x00, 0x00, 0x90, 0x05, 0x00, 0x53, 0x4e, 0x02, 0x41, 0x42],
        ] as [[UInt8]])
    func nonsense(bytes: [UInt8]) {
        let data = VitalProductData(bytes: bytes)
        #expect(data.serialNumber == nil && data.productName == nil)
    }

    @Test("data that is cut off has the fields before the cut")
    func cut() {
        let whole = resource(0x90, field("PN", "part") + field("SN", "serial"))
        for length in 0..<whole.count {
            let data = VitalProductData(bytes: whole.prefix(length))
            #expect(data.serialNumber == nil)
            #expect(data.partNumber == (length >= 10 ? "part" : nil))
        }
        #expect(VitalProductData(bytes: whole).serialNumber == "serial")
    }
}

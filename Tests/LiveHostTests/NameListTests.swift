import LiveHost
import Testing

@Suite("Names in pci.ids")
struct NameListTests {
    private let names = NameList(
        Array(
            """
            #
            # Version: 2023.04.10

            8086  Intel Corporation
            # a comment among the devices
            \t10c9  82576 Gigabit Network Connection
            \t\t8086 0001  A subsystem
            \t0001
            \t1521  I350 Gigabit Network Connection
            ffff  Illegal Vendor ID
            nonsense
            C 02  Network controller
            \t00  Ethernet controller
            \t\t01  An interface
            C 0
            C 03  Display controller
            \t00  VGA compatible controller
            """.utf8))

    @Test("vendors, devices and classes by id")
    func found() {
        #expect(names.vendor(0x8086) == "Intel Corporation")
        #expect(names.vendor(0xffff) == "Illegal Vendor ID")
        #expect(names.device(0x8086, 0x10c9) == "82576 Gigabit Network Connection")
        #expect(names.device(0x8086, 0x1521) == "I350 Gigabit Network Connection")
        #expect(names.classification(0x0200) == "Ethernet controller")
        #expect(names.classification(0x0300) == "VGA compatible controller")
    }

    @Test("a subclass without a name has that of its class")
    func classAlone() {
        #expect(names.classification(0x0280) == "Network controller")
    }

    @Test("what is not there has no name: an id that is only another's, a subsystem, a line that is no entry")
    func absent() {
        #expect(names.vendor(0x10c9) == nil)
        #expect(names.device(0x8086, 0x8086) == nil)
        #expect(names.device(0x8086, 0x0001) == nil)
        #expect(names.device(0xffff, 0x10c9) == nil)
        #expect(names.device(0x1234, 0x10c9) == nil)
        #expect(names.classification(0x0100) == nil)
    }

    @Test("a file that was cut anywhere is read as far as it goes")
    func cut() {
        let text = Array("8086  Intel\n\t10c9  82576\nC 02  Network\n\t00  Ethernet\n".utf8)
        for count in 0...text.count {
            let names = NameList(Array(text.prefix(count)))
            #expect(names.vendor(0x8086).map { "Intel".hasPrefix($0) } ?? true)
            #expect(names.device(0x8086, 0x10c9).map { "82576".hasPrefix($0) } ?? true)
            #expect(names.classification(0x0200).map { "Ethernet".hasPrefix($0) || "Network".hasPrefix($0) } ?? true)
        }
        #expect(NameList([]).vendor(0) == nil)
    }
}

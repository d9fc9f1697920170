import PCI
import Testing
import Rendering

@Suite("Tables that fit")
struct TableTests {
    private static let names = [
        "Intel Corporation 82576 Gigabit Network Connection", "用户定义的网络控制器控制器", "x", "Cafe\u{301} NIC",
    ]
    private static let users = ["-", "mount,holder", "address,route,vf", "process"]

    /// A table such as `list` prints, with every kind of column.
    private func devices() -> Table {
        var table = Table(
            .whole("ADDRESS"), .whole("GROUP"), .whole("DRIVER"), .list("USED BY"), .text("DEVICE"))
        for number in 0..<16 {
            table.add(PCIAddress(domain: number == 3 ? 0x10000 : 0, routingID: UInt16(number * 17)))
            table.add(number == 2 ? nil : number * 100)
            table.add(number == 5 ? "nvidia-vgpu-vfio" : "igb")
            table.add(Self.users[number % 4])
            var tail = PlainText()
            if number % 2 == 1 {
                tail.append("[VF ")
                tail.append(number)
                tail.append(" of 0000:01:00.0]")
            }
            table.add(Table.Text(Self.names[number / 4]), keeping: tail)
        }
        return table
    }

    /// The columns of a line, counted independently of the table: these characters are all the wide ones used here.
    private func columns(_ line: Substring) -> Int {
        line.reduce(0) { $0 + ($1.unicodeScalars.allSatisfy { (0x4e00...0x9fff).contains($0.value) } ? 2 : 1) }
    }

    @Test("without a limit, columns are as wide as their widest cell, and no line ends in a space")
    func unlimited() {
        var table = Table(.whole("VF"), .whole("ADDRESS"), .text("NAME"))
        table.add(10)
        table.add("0000:01:10.0")
        table.add("")
        table.add(nil)
        table.add("-")
        table.add("eth0")
        #expect(
            table.rendered(colours: false) == """
                VF  ADDRESS       NAME
                10  0000:01:10.0
                -   -             eth0

                """)
    }

    @Test("no line is wider than asked for, wherever the widest cell that is never cut has room", arguments: 32...200)
    func fits(width: Int) {
        for line in devices().rendered(width: width, colours: false).split(separator: "\n") {
            #expect(columns(line) <= width, "\(line)")
        }
    }

    @Test("addresses, drivers and users are whole at every width, however small", arguments: 1...200)
    func whole(width: Int) {
        let text = devices().rendered(width: width, colours: false)
        let lines = text.split(separator: "\n")
        let addresses = lines.compactMap { $0.split(separator: " ").first }.filter { PCIAddress($0) != nil }
        #expect(addresses.count == 16)
        #expect(text.contains("nvidia-vgpu-vfio"))
        for number in stride(from: 1, to: 16, by: 2) { #expect(text.contains("[VF \(number) of 0000:01:00.0]")) }
        for user in ["mount,", "holder", "address,", "route,", "process"] { #expect(text.contains(user)) }
    }

    @Test("a text is cut behind a word where one ends late enough, and says that it was cut")
    func ellipsis() {
        var table = Table(.whole("IDS"), .text("DEVICE"))
        table.add("8086:10c9")
        table.add("Intel Corporation 82576 Gigabit Network Connection")
        func lines(_ width: Int) -> [Substring] { table.rendered(width: width, colours: false).split(separator: "\n") }
        func second(_ width: Int) -> Substring { lines(width)[1] }
        #expect(second(61) == "8086:10c9  Intel Corporation 82576 Gigabit Network Connection")
        #expect(second(60) == "8086:10c9  Intel Corporation 82576 Gigabit Network…")
        #expect(second(35) == "8086:10c9  Intel Corporation 82576…")
        #expect(second(34) == "8086:10c9  Intel Corporation…")
        #expect(second(40) == "8086:10c9  Intel Corporation 82576…")
        #expect(second(20) == "8086:10c9  Intel…")
        #expect(lines(1) == ["IDS", "    DEVICE", "8086:10c9", "    Intel…"])
    }

    @Test("a tail that has no room beside its text stands on a line of its own, below what else goes on")
    func tail() {
        var table = Table(.whole("ADDRESS"), .list("USED BY"), .text("DEVICE"))
        table.add("0000:01:10.0")
        table.add("mount,holder")
        table.add(Table.Text("Intel Corporation 82576"), keeping: "[VF 0 of 0000:01:00.0]")
        #expect(
            table.rendered(width: 40, colours: false) == """
                ADDRESS       USED BY       DEVICE
                0000:01:10.0  mount,holder  Intel Corpo…
                                  [VF 0 of 0000:01:00.0]

                """)
        #expect(
            table.rendered(width: 32, colours: false) == """
                ADDRESS       USED BY   DEVICE
                0000:01:10.0  mount,    Intel…
                              holder
                          [VF 0 of 0000:01:00.0]

                """)
    }

    @Test("columns that have no room beside the others stand below them")
    func bands() {
        var table = Table(.whole("ADDRESS"), .whole("STABLE"), .whole("DRIVER"), .text("DEVICE"))
        table.add("0000:01:00.0")
        table.add("0000:00/01.0/00.0-8086:10c9-8086:0001")
        table.add("igb")
        table.add("Intel Corporation 82576")
        #expect(
            table.rendered(width: 54, colours: false) == """
                ADDRESS       STABLE
                    DRIVER  DEVICE
                0000:01:00.0  0000:00/01.0/00.0-8086:10c9-8086:0001
                    igb     Intel Corporation 82576

                """)
    }

    @Test("a character of several code points is cut off whole")
    func graphemes() {
        var table = Table(.text("NAME"))
        table.add(String(repeating: "e\u{301}", count: 20))
        let line = table.rendered(width: 10, colours: false).split(separator: "\n")[1]
        #expect(line == String(repeating: "e\u{301}", count: 9) + "…")
    }

    @Test("what a terminal would obey is escaped")
    func controls() {
        var table = Table(.whole("A"), .text("B"))
        table.add("\u{1b}[2J")
        table.add(Table.Text("a\nb"), keeping: "\u{7f}!")
        #expect(table.rendered(colours: false) == "A        B\n\\x1b[2J  a\\x0ab ?!\n")
    }

    @Test("the same table is the same text")
    func repeatable() {
        #expect(devices().rendered(width: 80, colours: true) == devices().rendered(width: 80, colours: true))
    }
}

import Testing
import Rendering

@Suite("Lines that fit")
struct WrappingTests {
    @Test("a line that fits, and every line without a limit, stays as it is")
    func untouched() {
        let text = "ok      iommu: the kernel uses dmar0\nready\n"
        #expect(wrapped(text, to: 40) == text)
        #expect(wrapped(text, to: nil) == text)
    }

    @Test("what continues a finding stands under what it is about")
    func hanging() {
        let text = "warning memlock: no\nfailure  iommu: it is off, and nothing can be given to a guest\n"
        #expect(
            wrapped(text, to: 32) == """
                warning memlock: no
                failure  iommu: it is off, and
                         nothing can be given to
                         a guest

                """)
    }

    @Test("a line without a gap goes on two columns further in")
    func indented() {
        #expect(
            wrapped("    cure: add intel_iommu=on to the kernel", to: 24) == """
                    cure: add
                      intel_iommu=on to
                      the kernel
                """)
    }

    @Test("no word is broken: addresses and paths stay whole, however narrow the line")
    func wholeWords() {
        let text = "  driver       vfio-pci, with 0000:01:00.0, 0000:01:00.1 (/sys/bus/pci/devices/0000:01:00.0/driver)"
        let words = text.split(separator: " ")
        for width in 1...100 {
            let result = wrapped(text, to: width)
            #expect(result.split(whereSeparator: \.isWhitespace) == words, "\(width)")
            let longest = words.map(\.count).max() ?? 0
            let widest = result.split(separator: "\n").map(\.count).max() ?? 0
            #expect(widest <= max(width, width / 2 + longest), "\(width)")
        }
    }

    @Test("colours take no room, wide characters take two columns, and none is broken")
    func columns() {
        let coloured = "\u{1b}[31mfailure\u{1b}[0m iommu: off"
        #expect(wrapped(coloured, to: 18) == coloured)
        #expect(wrapped("用户 用户 用户", to: 9) == "用户 用户\n  用户")
        #expect(wrapped("e\u{301}e\u{301} e\u{301}e\u{301}", to: 5) == "e\u{301}e\u{301} e\u{301}e\u{301}")
    }
}

internal import Glibc
internal import PCI
internal import TestSupport
internal import Testing

/// `lspci -vv` on the same bytes is the judge: the same capabilities at the same places in the same order, and every
/// field of ours says what lspci prints.
@Suite("Configuration space, judged by lspci")
struct LspciOracleTests {
    @Test(
        "every dump of pciutils' own tests", .enabled(if: Judge.canCompare, Judge.why),
        arguments: Judge.files(in: "pciutils").filter { !$0.hasSuffix("COPYING") })
    func pciutils(path: String) throws {
        try compare(dump: path)
    }

    @Test(
        "every configuration space of libvirt's tests, whole and cut short", .enabled(if: Judge.canCompare, Judge.why),
        arguments: Judge.files(in: "libvirt/virpcitestdata"))
    func libvirt(path: String) throws {
        let bytes = try #require(Judge.bytes(of: path))
        try compare(bytes)
        // As the kernel shows it to an unprivileged user, and as a capture may hold it.
        for length in [64, 256, 320] where length < bytes.count { try compare(Array(bytes.prefix(length))) }
    }

    @Test(
        "bytes of our own: every capability that is decoded, and lists that are broken",
        .enabled(if: Judge.isHere, "needs lspci (apt install pciutils)"))
    func own() throws {
        for device in SampleCapabilities.all { try compare(device.bytes) }
    }

    // MARK: comparing

    /// Compares one space, written as a dump that lspci reads.
    private func compare(_ bytes: [UInt8]) throws {
        let directory = TemporaryDirectory()
        var text = "01:00.0 a device\n"
        for line in stride(from: 0, to: bytes.count, by: 16) {
            let row = bytes[line..<min(line + 16, bytes.count)].map { hexadecimal($0, width: 2) }
            text += hexadecimal(line, width: 2) + ": " + row.joined(separator: " ") + "\n"
        }
        directory.file("dump", text)
        try compare(dump: directory.path + "/dump")
    }

    /// Compares every device of a dump.
    private func compare(dump path: String) throws {
        let spaces = Self.spaces(in: try #require(Judge.text(of: path)))
        let sections = Self.sections(of: output(of: "lspci -D -F '\(path)' -vv 2>/dev/null").text)
        #expect(Set(spaces.keys) == Set(sections.keys), "the devices of \(path)")
        for (address, bytes) in spaces {
            let space = ConfigurationSpace(bytes: bytes)
            let judged = try #require(sections[address])
            #expect(space.allCapabilities.map(\.offset) == judged.map(\.offset), "\(path) \(address)")
            for (capability, theirs) in zip(space.allCapabilities, judged) {
                #expect(capability.version == theirs.version, "\(path) \(address) \(capability)")
                #expect(
                    theirs.text.hasPrefix(capability.name) || theirs.isUnnamed(capability.id),
                    "\(path) \(address): \(capability.name) is \(theirs.text)")
                for piece in LspciText(capability).pieces {
                    #expect(theirs.text.contains(piece), "\(path) \(address): no '\(piece)' in \(theirs.text)")
                }
            }
        }
    }

    /// One capability as lspci tells it.
    private struct Judged {
        var offset: Int
        var version: Int?
        /// Its lines, from the name on.
        var text: String

        /// Whether this lspci has no name for the id, and gives the number.
        func isUnnamed(_ id: CapabilityID) -> Bool {
            text.hasPrefix(
                (id.isExtended ? "Extended Capability ID " : "Capability ID ") + "0x" + String(id.number, radix: 16))
        }
    }

    /// lspci's output, by device: its capabilities, in order.
    private static func sections(of text: String) -> [String: [Judged]] {
        var sections: [String: [Judged]] = [:]
        var address = ""
        var isInside = false
        for line in text.split(separator: "\n") {
            if !line.hasPrefix("\t") {
                address = String(line.prefix { $0 != " " })
                sections[address] = []
                isInside = false
            } else if line.hasPrefix("\tCapabilities: [") {
                let words = line.dropFirst("\tCapabilities: [".count).split(
                    separator: "]", maxSplits: 1, omittingEmptySubsequences: false)
                let place = words[0].split(separator: " v")
                let name = words[1].dropFirst()
                // Where lspci gives up on the list, it says so in the place of a name.
                isInside = !name.hasPrefix("<chain")
                guard isInside else { continue }
                sections[address]?.append(
                    Judged(
                        offset: Int(place[0], radix: 16) ?? -1, version: place.count > 1 ? Int(place[1]) : nil,
                        text: name + "\n"))
            } else if line.hasPrefix("\t\t"), isInside, let last = sections[address]?.indices.last {
                sections[address]?[last].text += line + "\n"
            } else {
                isInside = false
            }
        }
        return sections
    }

    /// A dump's devices: every line that begins with an address begins one, and `40: 01 00 …` lines are its bytes.
    private static func spaces(in dump: String) -> [String: [UInt8]] {
        var spaces: [String: [UInt8]] = [:]
        var address: String?
        for line in dump.split(separator: "\n") {
            let words = line.split(separator: " ")
            if let first = words.first, let found = PCIAddress(first) {
                address = found.description
                spaces[found.description] = []
            } else if let address, let first = words.first, first.hasSuffix(":"),
                Int(first.dropLast(), radix: 16) == spaces[address]?.count
            {
                spaces[address]?.append(contentsOf: words.dropFirst().compactMap { UInt8($0, radix: 16) })
            }
        }
        return spaces.filter { !$0.value.isEmpty }
    }
}

/// lspci, and what others recorded for it to judge.
private enum Judge {
    static let isHere = isInstalled("lspci")
    static let canCompare = isHere && !files(in: "pciutils").isEmpty
    static let why: Comment = "needs lspci (apt install pciutils) and the captures in ../shared/fixtures"

    /// The files of a folder of captures.
    static func files(in folder: String) -> [String] {
        let path =
            #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/../shared/fixtures/" + folder
        return output(of: "ls '\(path)' 2>/dev/null").text.split(separator: "\n").map { path + "/" + $0 }
    }

    static func bytes(of path: String) -> [UInt8]? {
        guard let stream = unsafe fopen(path, "r") else { return nil }
        defer { unsafe fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = unsafe fread(&bytes, 1, bytes.count, stream)
        return Array(bytes.prefix(count))
    }

    static func text(of path: String) -> String? { bytes(of: path).map { String(decoding: $0, as: UTF8.self) } }
}

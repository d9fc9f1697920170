internal import HostAccess

/// The framebuffers that the firmware left and the kernel took over, from `/proc/iomem`.
///
/// Each line is a range of physical addresses and who has it; one within another is indented. To anyone without
/// CAP_SYS_ADMIN all addresses read 0, while the names stay (`r_show` in kernel/resource.c).
struct MemoryMap {
    /// A firmware framebuffer's range.
    struct Framebuffer: Hashable {
        /// `BOOTFB`, `efifb`, `simpledrm`.
        var name: String
        var first: UInt64
        var last: UInt64
        /// The ranges around it, from the outside in: a BAR's is named by its device.
        var around: [String]
    }

    /// What the kernel's drivers for the firmware's framebuffers call their ranges: sysfb itself, then efifb, vesafb,
    /// simplefb, offb, vga16fb, and their DRM counterparts.
    static let names: Set<String> = [
        "BOOTFB", "efifb", "vesafb", "simplefb", "simple-framebuffer", "offb", "vga16fb", "simpledrm", "efidrm",
        "vesadrm", "ofdrm",
    ]

    /// In the order of the file.
    private(set) var framebuffers: [Framebuffer] = []
    /// What could not be looked at.
    private(set) var unseen: String?

    init(on host: any HostAccess) {
        let bytes: [UInt8]
        do {
            bytes = try host.read("/proc/iomem", limit: 16 << 20)
        } catch {
            unseen = "could not look at who has its memory (/proc/iomem: \(error.errno))"
            return
        }
        var around: [(depth: Int, name: String)] = []
        var isZeroed = true
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let text = String(decoding: line, as: UTF8.self)
            let depth = text.prefix { $0 == " " }.count
            guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), let range = Self.range(text[..<colon]) else {
                continue
            }
            if range.upperBound != 0 { isZeroed = false }
            let name = String(text[text.index(after: colon)...].drop { $0 == " " })
            while let last = around.last, last.depth >= depth { around.removeLast() }
            if Self.names.contains(name) {
                framebuffers.append(
                    Framebuffer(
                        name: name, first: range.lowerBound, last: range.upperBound, around: around.map(\.name)))
            }
            around.append((depth, name))
        }
        if isZeroed {
            unseen =
                "not permitted to look at who has its memory (/proc/iomem shows no addresses): root sees whether the "
                + "firmware's framebuffer is in it"
        }
    }

    /// `  e0000000-efffffff `.
    private static func range(_ text: Substring) -> ClosedRange<UInt64>? {
        let ends = text.drop { $0 == " " }.split(separator: "-")
        guard ends.count == 2, let first = UInt64(ends[0], radix: 16),
            let last = UInt64(ends[1].prefix { $0 != " " }, radix: 16), first <= last
        else { return nil }
        return first...last
    }
}

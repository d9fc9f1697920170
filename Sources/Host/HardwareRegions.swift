public import PCI

/// A region of a device: what one of its base address registers stands for, as the kernel sized and placed it.
public struct BAR: Hashable, Sendable, Codable {
    /// The number of its (first) register, 0 to 5.
    public var index: Int
    /// Memory or I/O ports.
    public var kind: BaseAddress.Kind
    /// How many bits its address can have: 32 or 64.
    public var width: Int
    /// Its size in bytes.
    public var size: UInt64
    /// Whether reads have no side effects.
    public var isPrefetchable: Bool
    /// Where it is, on the CPU's side; nil when the kernel found no place for it.
    public var address: UInt64?

    /// Makes a region of what was read.
    public init(
        index: Int, kind: BaseAddress.Kind, width: Int, size: UInt64, isPrefetchable: Bool, address: UInt64?
    ) {
        self.index = index
        self.kind = kind
        self.width = width
        self.size = size
        self.isPrefetchable = isPrefetchable
        self.address = address
    }
}

/// The read-only memory on the card: firmware for the boot.
public struct ExpansionROM: Hashable, Sendable, Codable {
    /// Its size in bytes.
    public var size: UInt64
    /// Where it is; nil when it was given no place, which is usual.
    public var address: UInt64?
    /// Whether it answers just now.
    public var isEnabled: Bool

    /// Makes a ROM of what was read.
    public init(size: UInt64, address: UInt64?, isEnabled: Bool) {
        self.size = size
        self.address = address
        self.isEnabled = isEnabled
    }
}

/// The lines of sysfs `resource`: first and last address and flags, in hexadecimal, one line a region
/// (`resource_show` in drivers/pci/pci-sysfs.c; flags in linux/ioport.h).
struct ResourceLines {
    struct Line {
        var start: UInt64
        var end: UInt64
        var flags: UInt64

        /// `IORESOURCE_IO` and `IORESOURCE_MEM`; 0 is an empty line.
        var isThere: Bool { flags & 0x300 != 0 && end >= start && end - start < .max }
        var size: UInt64 { end - start + 1 }
        /// `IORESOURCE_UNSET`: sized, and without a place.
        var isPlaced: Bool { flags & 0x2000_0000 == 0 && start != 0 }
    }

    let lines: [Line]

    init(_ bytes: [UInt8]) {
        lines = bytes.split(separator: UInt8(ascii: "\n")).prefix(32).map { line in
            let words = line.split(separator: UInt8(ascii: " ")).map { Self.number($0) }
            guard words.count == 3, let start = words[0], let end = words[1], let flags = words[2] else {
                return Line(start: 0, end: 0, flags: 0)
            }
            return Line(start: start, end: end, flags: flags)
        }
    }

    /// Lines 0 to 5: the function's own regions.
    var bars: [BAR] { bars(0..<6, of: 1) }

    /// Line 6.
    var rom: ExpansionROM? {
        guard lines.count > 6, lines[6].isThere else { return nil }
        let line = lines[6]
        return ExpansionROM(size: line.size, address: line.isPlaced ? line.start : nil, isEnabled: line.flags & 1 != 0)
    }

    /// Lines 7 to 12, of a kernel with SR-IOV: each holds that region of all virtual functions, one after the other.
    func virtualFunctionBARs(total: Int) -> [BAR] { total > 0 ? bars(7..<13, of: UInt64(total)) : [] }

    private func bars(_ range: Range<Int>, of count: UInt64) -> [BAR] {
        guard lines.count >= range.upperBound else { return [] }
        return range.compactMap { number in
            let line = lines[number]
            guard line.isThere, line.size % count == 0 else { return nil }
            return BAR(
                index: number - range.lowerBound, kind: line.flags & 0x100 != 0 ? .io : .memory,
                width: line.flags & 0x10_0000 != 0 ? 64 : 32, size: line.size / count,
                isPrefetchable: line.flags & 0x2000 != 0, address: line.isPlaced ? line.start : nil)
        }
    }

    /// `0x00000000fea00000`.
    private static func number(_ word: ArraySlice<UInt8>) -> UInt64? {
        guard word.starts(with: "0x".utf8), (3...18).contains(word.count) else { return nil }
        var value: UInt64 = 0
        for byte in word.dropFirst(2) {
            guard let digit = hexadecimalDigit(byte) else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }
}

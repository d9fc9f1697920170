/// Replaces serial numbers in a function's vital product data (PCI Local Bus 3.0, appendix I): what is no part number, change
/// level, or the like is blanked; the checksum is made true again.
struct VitalProductDataRedaction {
    private var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Keywords that are the same for every card of a model.
    private static let harmless: Set<String> = ["PN", "EC", "FG", "LC", "MN", "PG", "CP", "EX", "RV", "RW"]

    /// The data with everything replaced. From where it makes no sense, or is cut off, it is all zeros.
    consuming func run(_ pseudonyms: inout Pseudonyms) -> [UInt8] {
        var offset = 0
        while offset < bytes.count {
            let tag = bytes[offset]
            if tag & 0x80 == 0 {
                // A small resource; 0x78 is the end of all.
                if tag & 0x78 == 0x78 { return bytes }
                offset += 1 + Int(tag & 7)
                continue
            }
            guard offset + 3 <= bytes.count else { return blanked(from: offset) }
            let start = offset + 3
            let end = start + Int(bytes[offset + 1]) + Int(bytes[offset + 2]) << 8
            // 0x90 is what can be read, 0x91 what can be written; 0x82 is the card's name.
            if tag == 0x90 || tag == 0x91, let broken = redact(start..<min(end, bytes.count), &pseudonyms) {
                return blanked(from: broken)
            }
            offset = end
        }
        return bytes
    }

    private consuming func blanked(from start: Int) -> [UInt8] {
        for index in start..<bytes.count { bytes[index] = 0 }
        return bytes
    }

    /// Replaces the fields in a range; the place of the first that makes no sense, if there is one.
    private mutating func redact(_ range: Range<Int>, _ pseudonyms: inout Pseudonyms) -> Int? {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let start = offset + 3
            guard start <= range.upperBound else { return offset }
            let end = start + Int(bytes[offset + 2])
            guard end <= range.upperBound else { return offset }
            let keyword = String(decoding: bytes[offset..<(offset + 2)], as: UTF8.self)
            if keyword == "RV", start < end {
                // All bytes to the checksum and with it add up to zero.
                bytes[start] = 0
                bytes[start] = 0 &- bytes[..<start].reduce(0, &+)
            } else if !Self.harmless.contains(keyword) {
                let value = String(decoding: bytes[start..<end], as: UTF8.self)
                let replacement = Array(pseudonyms.serial(value).utf8.prefix(end - start))
                for index in start..<end {
                    bytes[index] = index - start < replacement.count ? replacement[index - start] : UInt8(ascii: " ")
                }
            }
            offset = end
        }
        return nil
    }
}

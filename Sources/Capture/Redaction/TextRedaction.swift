internal import Netlink
internal import PCI

/// Replaces, in a text, what tells which machine it is from: hardware and IP addresses, UUIDs, world-wide names, known
/// serial numbers and host names.
///
/// Each is known by its own form, and stands between other characters than letters and digits. PCI addresses, versions,
/// device numbers and times have other forms.
struct TextRedaction {
    private let text: [UInt8]
    private let replacesHosts: Bool
    private var result: [UInt8] = []
    private var position = 0

    /// - Parameters:
    ///   - text: any bytes; what is no text has nothing of these forms in it.
    ///   - replacesHosts: whether known host names are replaced: not in driver names and paths, which may be the same words.
    init(_ text: [UInt8], replacesHosts: Bool) {
        self.text = text
        self.replacesHosts = replacesHosts
    }

    /// The text with everything replaced. What is new to `pseudonyms` becomes known to them.
    mutating func run(_ pseudonyms: inout Pseudonyms) -> [UInt8] {
        result.reserveCapacity(text.count)
        while position < text.count {
            let isStart = position == 0 || !Self.isWord(text[position - 1])
            if isStart, Self.isWord(text[position]) || text[position] == colon, replaceHere(&pseudonyms) { continue }
            result.append(text[position])
            position += 1
        }
        return result
    }

    private mutating func replaceHere(_ pseudonyms: inout Pseudonyms) -> Bool {
        replaceHardwareAddress(&pseudonyms) || replaceUUID(&pseudonyms) || replaceIPv6(&pseudonyms)
            || replaceIPv4(&pseudonyms) || replaceName(&pseudonyms) || replaceHost(pseudonyms)
            || replaceWord(&pseudonyms)
    }

    // MARK: forms

    private let colon = UInt8(ascii: ":")
    private let dash = UInt8(ascii: "-")
    private let dot = UInt8(ascii: ".")

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: byte >= 0x80
        }
    }

    private func byte(_ offset: Int) -> UInt8? {
        position + offset < text.count ? text[position + offset] : nil
    }

    private func digit(_ offset: Int) -> UInt8? { byte(offset).flatMap { hexadecimalDigit($0) } }

    private func endsWord(_ length: Int) -> Bool { byte(length).map { !Self.isWord($0) } ?? true }

    private mutating func replace(_ length: Int, by replacement: some Sequence<UInt8>) -> Bool {
        result.append(contentsOf: replacement)
        position += length
        return true
    }

    private func string(_ length: Int) -> String {
        String(decoding: text[position..<(position + length)], as: UTF8.self)
    }

    /// `52:54:00:12:34:56`; eight pairs are an EUI-64, or with dashes a PCI serial number, twenty InfiniBand's.
    private mutating func replaceHardwareAddress(_ pseudonyms: inout Pseudonyms) -> Bool {
        guard let separator = byte(2), separator == colon || separator == dash else { return false }
        var bytes: [UInt8] = []
        var offset = 0
        while let high = digit(offset), let low = digit(offset + 1) {
            bytes.append(high << 4 | low)
            offset += 2
            guard byte(offset) == separator, digit(offset + 1) != nil else { break }
            offset += 1
        }
        guard [6, 8, 20].contains(bytes.count), endsWord(offset) else { return false }
        let replacement =
            bytes.count == 8 && separator == dash ? pseudonyms.serial(bytes: bytes) : pseudonyms.hardwareAddress(bytes)
        let isUpper = text[position..<(position + offset)].contains {
            (UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0)
        }
        let digits = replacement.map { hexadecimal($0, width: 2) }.joined(separator: separator == colon ? ":" : "-")
        return replace(offset, by: (isUpper ? digits.uppercased() : digits).utf8)
    }

    private mutating func replaceUUID(_ pseudonyms: inout Pseudonyms) -> Bool {
        let length = 36
        guard byte(8) == dash, byte(length - 1) != nil, endsWord(length) else { return false }
        for offset in 0..<length {
            if [8, 13, 18, 23].contains(offset) {
                guard byte(offset) == dash else { return false }
            } else if digit(offset) == nil {
                return false
            }
        }
        return replace(length, by: pseudonyms.serial(string(length)).utf8)
    }

    private mutating func replaceIPv6(_ pseudonyms: inout Pseudonyms) -> Bool {
        var length = 0
        var colons = 0
        while let byte = byte(length), byte == colon || byte == dot || hexadecimalDigit(byte) != nil, length < 46 {
            if byte == colon { colons += 1 }
            length += 1
        }
        // A full stop or a colon at the end belongs to the sentence, two colons to the address.
        while length > 2, text[position + length - 1] == dot || text[position + length - 1] == colon,
            text[position + length - 2] != colon
        {
            length -= 1
        }
        guard colons >= 2, endsWord(length), let address = IPAddress(string(length)), address.bitWidth == 128 else {
            return false
        }
        learn(address, length, &pseudonyms)
        return replace(length, by: pseudonyms.addresses[address].description.utf8)
    }

    private mutating func replaceIPv4(_ pseudonyms: inout Pseudonyms) -> Bool {
        var length = 0
        var dots = 0
        while let byte = byte(length), length < 16, byte == dot || (0x30...0x39).contains(byte) {
            if byte == dot {
                guard dots < 3 else { break }
                dots += 1
            }
            length += 1
        }
        // A fifth number would make it a version.
        let continues = byte(length) == dot && (byte(length + 1).map { (0x30...0x39).contains($0) } ?? false)
        guard dots == 3, endsWord(length), !continues, position == 0 || text[position - 1] != dot,
            let address = IPAddress(string(length))
        else { return false }
        learn(address, length, &pseudonyms)
        return replace(length, by: pseudonyms.addresses[address].description.utf8)
    }

    /// `192.168.1.0/24` is a network as well.
    private func learn(_ address: IPAddress, _ length: Int, _ pseudonyms: inout Pseudonyms) {
        pseudonyms.addresses.learn(address.unmapped)
        guard byte(length) == UInt8(ascii: "/") else { return }
        var prefix = 0
        var offset = length + 1
        while let byte = byte(offset), (0x30...0x39).contains(byte), prefix < 1000 {
            prefix = prefix * 10 + Int(byte - 0x30)
            offset += 1
        }
        if offset > length + 1, endsWord(offset) { pseudonyms.addresses.learn(networkOf: address, length: prefix) }
    }

    private static let namePrefixes = ["iqn.", "nqn.", "eui.", "naa."].map { Array($0.utf8) }

    /// iSCSI's and NVMe's names for hosts and disks, up to what cannot be in one.
    private mutating func replaceName(_ pseudonyms: inout Pseudonyms) -> Bool {
        guard Self.namePrefixes.contains(where: { text[position...].starts(with: $0) }) else { return false }
        var length = 0
        while let byte = byte(length), Self.isWord(byte) || [colon, dash, dot].contains(byte) { length += 1 }
        return replace(length, by: pseudonyms.serial(string(length)).utf8)
    }

    private mutating func replaceHost(_ pseudonyms: Pseudonyms) -> Bool {
        guard replacesHosts else { return false }
        for name in pseudonyms.hostNames where text[position...].starts(with: name.utf8) {
            let length = name.utf8.count
            guard endsWord(length), let replacement = pseudonyms.host(name) else { continue }
            return replace(length, by: replacement.utf8)
        }
        return false
    }

    // MARK: words

    /// A whole word: a serial number that is known, or one with a known hardware address in it (`enx525400123456`).
    private mutating func replaceWord(_ pseudonyms: inout Pseudonyms) -> Bool {
        for dashed in [true, false] {
            var length = 0
            while let byte = byte(length), Self.isWord(byte) || dashed && [dash, UInt8(ascii: "_")].contains(byte) {
                length += 1
            }
            guard length > 0 else { return false }
            if length >= 6, !pseudonyms.distinctiveSerials.isEmpty,
                pseudonyms.distinctiveSerials.contains(string(length))
            {
                return replace(length, by: pseudonyms.serial(string(length)).utf8)
            }
            if !dashed {
                return replace(length, by: withoutHardwareAddresses(position..<(position + length), pseudonyms))
            }
        }
        return false
    }

    private func withoutHardwareAddresses(_ range: Range<Int>, _ pseudonyms: Pseudonyms) -> [UInt8] {
        let digits = 12
        var word = Array(text[range])
        guard word.count >= digits else { return word }
        var start = 0
        while start + digits <= word.count {
            let values = word[start..<(start + digits)].map { hexadecimalDigit($0) }
            guard !values.contains(nil) else {
                start += 1
                continue
            }
            let bytes = stride(from: 0, to: digits, by: 2).map { (values[$0] ?? 0) << 4 | (values[$0 + 1] ?? 0) }
            if let known = pseudonyms.known(hardwareAddress: bytes) {
                word.replaceSubrange(
                    start..<(start + digits), with: known.map { hexadecimal($0, width: 2) }.joined().utf8)
                start += digits
            } else {
                start += 1
            }
        }
        return word
    }
}

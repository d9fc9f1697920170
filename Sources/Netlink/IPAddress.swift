/// An IPv4 or IPv6 address.
public enum IPAddress: Hashable, Sendable {
    /// Four bytes, the first in the highest eight bits.
    case v4(UInt32)
    /// Sixteen bytes, the first in the highest eight bits of `high`.
    case v6(high: UInt64, low: UInt64)

    /// Makes an address of its 4 or 16 bytes in the order of the wire; nil for any other number of them.
    public init?(bytes: some Collection<UInt8>) {
        func number<Number: FixedWidthInteger>(_ part: some Sequence<UInt8>) -> Number {
            part.reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
        }
        switch bytes.count {
        case 4: self = .v4(number(bytes))
        case 16: self = .v6(high: number(bytes.prefix(8)), low: number(bytes.dropFirst(8)))
        default: return nil
        }
    }

    /// The bytes in the order of the wire.
    public var bytes: [UInt8] {
        switch self {
        case .v4(let value): (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }
        case .v6(let high, let low):
            [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * UInt64($0))) } }
        }
    }

    /// 32, or 128.
    public var bitWidth: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    /// 0.0.0.0, or ::.
    public var isUnspecified: Bool { self == .v4(0) || self == .v6(high: 0, low: 0) }

    /// 127.0.0.0/8, or ::1.
    public var isLoopback: Bool {
        switch self {
        case .v4(let value): value >> 24 == 127
        case .v6(let high, let low): high == 0 && low == 1
        }
    }

    /// fe80::/10, which every interface that is up gives itself.
    public var isIPv6LinkLocal: Bool {
        switch self {
        case .v4: false
        case .v6(let high, _): high >> 54 == 0xfe80 >> 6
        }
    }

    /// 224.0.0.0/4, or ff00::/8.
    public var isMulticast: Bool {
        switch self {
        case .v4(let value): value >> 28 == 0xe
        case .v6(let high, _): high >> 56 == 0xff
        }
    }

    /// The IPv4 address that `::ffff:192.168.1.5` carries, as IPv6 sockets show IPv4 peers; every other address as it is.
    public var unmapped: IPAddress {
        guard case .v6(0, let low) = self, low >> 32 == 0xffff else { return self }
        return .v4(UInt32(truncatingIfNeeded: low))
    }

    /// The address with all but the first `length` bits 0.
    public func masked(to length: Int) -> IPAddress {
        func mask<Half: FixedWidthInteger>(_ value: Half, _ bits: Int) -> Half {
            // A shift by the whole width gives 0.
            value & (~0 << Half(max(Half.bitWidth - max(bits, 0), 0)))
        }
        return switch self {
        case .v4(let value): .v4(mask(value, length))
        case .v6(let high, let low): .v6(high: mask(high, length), low: mask(low, length - 64))
        }
    }
}

extension IPAddress: LosslessStringConvertible {
    /// Reads `192.168.1.5`, or an IPv6 address in any of the forms of RFC 4291. Nil for anything else; a zone (`%eth0`) or
    /// a prefix length is something else.
    public init?(_ description: String) {
        let text = description.utf8[...]
        if text.contains(UInt8(ascii: ":")) {
            self.init(ipv6: text)
        } else {
            guard let value = Self.ipv4(text) else { return nil }
            self = .v4(value)
        }
    }

    private static func ipv4(_ text: Substring.UTF8View.SubSequence) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            let number = part.reduce(UInt32(0)) { $0 * 10 + UInt32($1 - 0x30) }
            guard number < 256 else { return nil }
            value = value << 8 | number
        }
        return value
    }

    private init?(ipv6 text: Substring.UTF8View.SubSequence) {
        // Groups before and after the one "::" that may be there.
        var groups: [UInt16] = []
        var gap: Int?
        var rest = text
        let colon = UInt8(ascii: ":")
        if rest.starts(with: [colon, colon]) {
            gap = 0
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            guard groups.count < 8 else { return nil }
            let part = rest.prefix { $0 != colon }
            rest = rest.dropFirst(part.count)
            if part.contains(UInt8(ascii: ".")) {
                guard rest.isEmpty, let value = Self.ipv4(part) else { return nil }
                groups += [UInt16(value >> 16), UInt16(truncatingIfNeeded: value)]
                break
            }
            guard let group = Self.group(part) else { return nil }
            groups.append(group)
            guard !rest.isEmpty else { break }
            rest = rest.dropFirst()
            if rest.first == colon {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        let half = { (part: ArraySlice<UInt16>) in part.reduce(UInt64(0)) { $0 << 16 | UInt64($1) } }
        self = .v6(high: half(groups[..<4]), low: half(groups[4...]))
    }

    private static func group(_ text: Substring.UTF8View.SubSequence) -> UInt16? {
        guard (1...4).contains(text.count) else { return nil }
        var value: UInt16 = 0
        for byte in text {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: return nil
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }

    /// `192.168.1.5`; IPv6 as RFC 5952 wants it: lower case, no leading zeros, the longest run of zero groups as "::".
    public var description: String {
        guard case .v6(let high, let low) = self else { return bytes.map { String($0) }.joined(separator: ".") }
        let groups = [high, low].flatMap { half in
            (0..<4).map { UInt16(truncatingIfNeeded: half >> (48 - 16 * UInt64($0))) }
        }
        var best = 0..<0
        var start = 0
        for end in 0...groups.count where end == groups.count || groups[end] != 0 {
            if end - start > max(best.count, 1) { best = start..<end }
            start = end + 1
        }
        let hex = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
        return best.isEmpty
            ? hex(groups[...]) : hex(groups[..<best.lowerBound]) + "::" + hex(groups[best.upperBound...])
    }
}

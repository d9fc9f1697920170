/// Where a PCI function sits: domain, bus, device (slot) and function, as sysfs spells it (`0000:01:00.0`).
///
/// Domains are 32 bits wide: Intel's VMD and some hypervisors hand out domains above 0xffff, which sysfs prints with
/// five digits or more. Sorted as `lspci` sorts: by domain, bus, device, function.
public struct PCIAddress: Sendable {
    /// The PCI segment group.
    public let domain: UInt32
    /// 0 to 255.
    public let bus: UInt8
    /// 0 to 31.
    public let device: UInt8
    /// 0 to 7.
    public let function: UInt8

    /// Makes an address; nil when `device` is above 31 or `function` above 7.
    public init?(domain: UInt32 = 0, bus: UInt8, device: UInt8, function: UInt8) {
        guard device < 32, function < 8 else { return nil }
        self.domain = domain
        self.bus = bus
        self.device = device
        self.function = function
    }

    /// Makes an address from a domain and a routing id (bus << 8 | device << 3 | function).
    public init(domain: UInt32, routingID: UInt16) {
        self.domain = domain
        bus = UInt8(routingID >> 8)
        device = UInt8(routingID >> 3 & 31)
        function = UInt8(routingID & 7)
    }

    /// Bus, device and function as the 16 bits that travel in a transaction.
    @inlinable
    public var routingID: UInt16 { UInt16(bus) << 8 | UInt16(device) << 3 | UInt16(function) }

    /// All of it as one number, in the order of addresses.
    @inlinable var number: UInt64 { UInt64(domain) << 16 | UInt64(routingID) }
}

extension PCIAddress: Hashable {
    /// Whether both name the same place.
    @inlinable
    public static func == (left: PCIAddress, right: PCIAddress) -> Bool { left.number == right.number }

    /// Hashes one number instead of four: a large host's tables are kept by address.
    @inlinable
    public func hash(into hasher: inout Hasher) { hasher.combine(number) }
}

extension PCIAddress: LosslessStringConvertible {
    /// Reads `0000:01:00.0`, or `01:00.0` in domain 0. Anything else is nil: no spaces, no missing digits.
    public init?(_ description: String) { self.init(ascii: description.utf8.span) }

    /// The same from a piece of a text.
    @inlinable
    public init?(_ description: some StringProtocol) { self.init(String(description)) }

    /// The same from the bytes of a text: enumeration parses one of these for every device, link and virtual function.
    public init?(ascii text: Span<UInt8>) {
        // From the end, where the digits are of one number: bus, device and function are the last seven characters.
        let end = text.count
        guard end == 7 || (12...16).contains(end), text[end - 5] == UInt8(ascii: ":"),
            text[end - 2] == UInt8(ascii: "."), let bus = Self.number(text, end - 7..<end - 5),
            let device = Self.number(text, end - 4..<end - 2), let function = Self.number(text, end - 1..<end)
        else { return nil }
        var domain: UInt32 = 0
        if end > 7 {
            guard text[end - 8] == UInt8(ascii: ":"), let number = Self.number(text, 0..<end - 8) else { return nil }
            domain = number
        }
        self.init(
            domain: domain, bus: UInt8(truncatingIfNeeded: bus), device: UInt8(truncatingIfNeeded: device),
            function: UInt8(truncatingIfNeeded: function))
    }

    /// The number in up to eight hexadecimal digits.
    private static func number(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt32? {
        var value: UInt32 = 0
        for index in range {
            guard let digit = hexadecimalDigit(text[index]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// The full address, domain always present: `0000:01:00.0`.
    public var description: String {
        var text: [UInt8] = []
        append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Adds the full address to a text that is put together as UTF-8.
    public func append(to text: inout [UInt8]) {
        text.append(addingCapacity: 16) { room in
            // At least four digits of the domain, and those before them that are not zero.
            var digits = max(4, (UInt32.bitWidth - domain.leadingZeroBitCount + 3) / 4)
            while digits > 0 {
                digits -= 1
                room.append(hexadecimalCharacter(UInt8(domain >> UInt32(digits * 4) & 0xf)))
            }
            room.append(UInt8(ascii: ":"))
            room.append(hexadecimalCharacter(bus >> 4))
            room.append(hexadecimalCharacter(bus & 0xf))
            room.append(UInt8(ascii: ":"))
            room.append(hexadecimalCharacter(device >> 4))
            room.append(hexadecimalCharacter(device & 0xf))
            room.append(UInt8(ascii: "."))
            room.append(hexadecimalCharacter(function))
        }
    }
}

extension PCIAddress: Comparable {
    /// By domain, then by routing id.
    @inlinable
    public static func < (left: PCIAddress, right: PCIAddress) -> Bool { left.number < right.number }
}

extension PCIAddress: Codable {
    /// Reads the full address from a single string.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let address = PCIAddress(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is no PCI address")
        }
        self = address
    }

    /// Writes the full address as a single string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

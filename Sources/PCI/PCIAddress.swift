/// Where a PCI function sits: domain, bus, device (slot) and function, as sysfs spells it (`0000:01:00.0`).
///
/// Domains are 32 bits wide: Intel's VMD and some hypervisors hand out domains above 0xffff, which sysfs prints with
/// five digits or more. Sorted as `lspci` sorts: by domain, bus, device, function.
public struct PCIAddress: Hashable, Sendable {
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
    public var routingID: UInt16 { UInt16(bus) << 8 | UInt16(device) << 3 | UInt16(function) }
}

extension PCIAddress: LosslessStringConvertible {
    /// Reads `0000:01:00.0`, or `01:00.0` in domain 0. Anything else is nil: no spaces, no missing digits.
    @inlinable
    public init?(_ description: some StringProtocol) {
        // Written over bytes, and inlinable: enumeration parses one of these for every device, link and virtual function.
        var fields: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
        var digits = (0, 0, 0, 0)
        var colons = 0
        var value: UInt32 = 0
        var count = 0
        var dotted = false
        for byte in description.utf8 {
            switch byte {
            case UInt8(ascii: ":"):
                guard !dotted, colons < 2 else { return nil }
                if colons == 0 { (fields.0, digits.0) = (value, count) } else { (fields.1, digits.1) = (value, count) }
                colons += 1
                (value, count) = (0, 0)
            case UInt8(ascii: "."):
                guard !dotted, colons > 0 else { return nil }
                dotted = true
                (fields.2, digits.2) = (value, count)
                (value, count) = (0, 0)
            default:
                guard let digit = hexadecimalDigit(byte), count < 8 else { return nil }
                value = value << 4 | UInt32(digit)
                count += 1
            }
        }
        guard dotted else { return nil }
        (fields.3, digits.3) = (value, count)
        if colons == 1 {
            fields = (0, fields.0, fields.2, fields.3)
            digits = (4, digits.0, digits.2, digits.3)
        }
        guard digits.0 >= 4, digits.1 == 2, digits.2 == 2, digits.3 == 1 else { return nil }
        self.init(
            domain: fields.0, bus: UInt8(truncatingIfNeeded: fields.1), device: UInt8(truncatingIfNeeded: fields.2),
            function: UInt8(truncatingIfNeeded: fields.3))
    }

    /// The full address, domain always present: `0000:01:00.0`.
    public var description: String {
        hexadecimal(domain, width: 4) + ":" + hexadecimal(UInt32(bus), width: 2) + ":"
            + hexadecimal(UInt32(device), width: 2) + "." + hexadecimal(UInt32(function), width: 1)
    }
}

extension PCIAddress: Comparable {
    /// By domain, then by routing id.
    public static func < (left: PCIAddress, right: PCIAddress) -> Bool {
        (left.domain, left.routingID) < (right.domain, right.routingID)
    }
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

/// A function's configuration space, decoded: the header, and both lists of capabilities.
///
/// Made of the bytes of sysfs `config`, or of any others: what they say is judged, never trusted. Every byte string gives
/// an answer, in time and memory bounded by 4096 bytes; a list that is broken ends there, and `faults` says how.
public struct ConfigurationSpace: Sendable {
    /// The bytes, at most 4096 of them. Without privileges the kernel hands out the first 64.
    public let bytes: [UInt8]
    /// The header; nil when there are fewer than 64 bytes.
    public let header: ConfigurationHeader?
    /// The capabilities in the first 256 bytes, in the order of their list.
    public let capabilities: [Capability]
    /// The extended capabilities, from 0x100 on, in the order of their list.
    public let extendedCapabilities: [Capability]
    /// What is wrong with the lists, or was not to be had.
    public let faults: [ChainFault]

    /// The size of a PCI Express function's configuration space (`PCI_CFG_SPACE_EXP_SIZE`).
    public static let largestSize = 4096

    /// Decodes the bytes; those past 4096 are left out.
    public init(bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes.prefix(Self.largestSize))
        var walk = CapabilityWalk(bytes)
        header = walk.header
        walk.standard()
        walk.extended()
        self.bytes = bytes
        capabilities = walk.capabilities
        extendedCapabilities = walk.extendedCapabilities
        faults = walk.faults
    }

    /// `faults` as sentences for people.
    public var notes: [String] { faults.map(\.description) }

    /// Whether nobody answered: the vendor and everything after it is all ones, as when the device is gone or asleep.
    public var isSilent: Bool { !bytes.isEmpty && bytes.allSatisfy { $0 == 0xff } }

    /// All capabilities, standard ones first.
    public var allCapabilities: [Capability] { capabilities + extendedCapabilities }
}

extension ConfigurationSpace: Hashable {
    /// Equal when the bytes are: everything else follows from them.
    public static func == (left: ConfigurationSpace, right: ConfigurationSpace) -> Bool { left.bytes == right.bytes }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

extension ConfigurationSpace: Codable {
    /// Reads the bytes from one hexadecimal string.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let digits = Array(try container.decode(String.self).utf8.prefix(2 * Self.largestSize))
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count - digits.count % 2, by: 2) {
            guard let high = hexadecimalDigit(digits[index]), let low = hexadecimalDigit(digits[index + 1]) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "configuration space is a string of hexadecimal digits")
            }
            bytes.append(high << 4 | low)
        }
        self.init(bytes: bytes)
    }

    /// Writes the bytes as one hexadecimal string: what they mean is decoded again when read back.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes.map { hexadecimal($0, width: 2) }.joined())
    }
}

internal import PCI

/// One capability in JSON: where it lies, what it is, and its fields by name.
struct CapabilityReport: Encodable {
    var offset: Int
    var id: String
    var extended: Bool
    @Nullable var version: Int?
    var name: String
    /// Null where the registers lie beyond what was read; empty where nothing is decoded.
    @Nullable var fields: [String: FieldValue]?

    init(_ capability: Capability) {
        offset = capability.offset
        extended = capability.id.isExtended
        id = hexadecimal(capability.id.number, width: extended ? 4 : 2)
        version = capability.version
        name = capability.name
        fields = Self.fields(of: capability.content)
    }

    private static func fields(of content: Capability.Content) -> [String: FieldValue]? {
        switch content {
        case .powerManagement(let value): value.fields
        case .slotIdentification(let value): value.fields
        case .msi(let value): value.fields
        case .hyperTransport(let value): value.fields
        case .vendorSpecific(let value): value.fields
        case .bridgeSubsystem(let value): value.fields
        case .pciExpress(let value): value.fields
        case .msix(let value): value.fields
        case .advancedFeatures(let value): value.fields
        case .advancedErrorReporting(let value): value.fields
        case .deviceSerialNumber(let value): ["serial_number": .text(value.description)]
        case .vendorSpecificExtended(let value): value.fields
        case .accessControlServices(let value): value.fields
        case .alternativeRoutingID(let value): value.fields
        case .addressTranslationService(let value): value.fields
        case .singleRootIOVirtualization(let value): value.fields
        case .pageRequestInterface(let value): value.fields
        case .resizableBARs(let value): value.fields
        case .latencyToleranceReporting(let value): value.fields
        case .processAddressSpaceID(let value): value.fields
        case .downstreamPortContainment(let value): value.fields
        case .l1PowerSubstates(let value): value.fields
        case .precisionTimeMeasurement(let value): value.fields
        case .designatedVendorSpecific(let value): value.fields
        case .undecoded: [:]
        case .cut: nil
        }
    }
}

/// The value of one field of a capability.
enum FieldValue: Encodable {
    case flag(Bool)
    case number(Int)
    case text(String)
    case list([FieldValue])
    case object([String: FieldValue])
    case null

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .flag(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .list(let values): try container.encode(values)
        case .object(let values): try container.encode(values)
        case .null: try container.encodeNil()
        }
    }

    /// An id: lower-case hexadecimal digits without 0x.
    static func id(_ value: UInt16) -> FieldValue { .text(hexadecimal(value, width: 4)) }

    /// An address or an offset in memory, or a register of bits: hexadecimal digits with 0x, which lose nothing.
    static func address(_ value: some FixedWidthInteger) -> FieldValue { .text("0x" + hexadecimal(value, width: 1)) }

    /// A size in bytes.
    static func size(_ value: UInt64) -> FieldValue { .number(Int(clamping: value)) }

    /// A link's speed: `8 GT/s`; null for no link, or a code that is not known.
    static func speed(_ value: LinkSpeed?) -> FieldValue {
        value.flatMap { $0.tenthsOfGigatransfers == nil ? nil : .text($0.description) } ?? .null
    }

    static func texts(_ values: [String]) -> FieldValue { .list(values.map(FieldValue.text)) }
}

public import PCI

/// What a function is called whatever number its bus has today: its way from the root bus as slots and functions, and
/// what sits there.
///
/// As text `0000:00/01.0/00.0-8086:10c9-1af4:1100`: the root bus, each bridge and the function as slot and function,
/// then vendor and device, then subsystem vendor and device; `-sn525400ffff000001` may follow, the serial number, and
/// `:vf3` for a virtual function, which goes by its physical one. Nothing in it means anything to a shell.
///
/// Bus numbers are given out anew at every boot, and a card more shifts them. Slots and functions are how the board is
/// wired. The number of a root bus is the firmware's choice; see the manual for when that may change.
public struct StableIdentity: Hashable, Sendable {
    /// A device's slot on its bus, and the function in it.
    public struct Place: Hashable, Sendable {
        /// The slot, 0 to 31.
        public var slot: UInt8
        /// The function, 0 to 7.
        public var function: UInt8

        /// Makes a place.
        public init(slot: UInt8, function: UInt8) {
            self.slot = slot
            self.function = function
        }

        /// What is left of an address without domain and bus.
        public init(_ address: PCIAddress) { self.init(slot: address.device, function: address.function) }
    }

    /// The domain of the root bus.
    public var domain: UInt32
    /// The root bus.
    public var rootBus: UInt8
    /// The bridges from the root bus down, then the function itself: never empty.
    public var path: [Place]
    /// What sits there: vendor, device and subsystem.
    public var ids: DeviceIdentity
    /// The serial number of its configuration space (the DSN capability), where it has one and who looked may read it.
    public var serial: UInt64?
    /// The index of a virtual function; all else is then its physical function's.
    public var virtualFunction: Int?

    /// Makes an identity.
    public init(
        domain: UInt32, rootBus: UInt8, path: [Place], ids: DeviceIdentity, serial: UInt64? = nil,
        virtualFunction: Int? = nil
    ) {
        self.domain = domain
        self.rootBus = rootBus
        self.path = path
        self.ids = ids
        self.serial = serial
        self.virtualFunction = virtualFunction
    }

    /// Its place alone, as in its text: `0000:00/01.0/00.0`.
    public var place: String {
        path.reduce(into: hexadecimal(domain, width: 4) + ":" + hexadecimal(UInt32(rootBus), width: 2)) { text, place in
            text +=
                "/" + hexadecimal(UInt32(place.slot), width: 2) + "." + hexadecimal(UInt32(place.function), width: 1)
        }
    }

    /// Whether its place is that of a function that hangs there.
    func isPlace(of address: PCIAddress, _ topology: DeviceTopology) -> Bool {
        domain == topology.domain && rootBus == topology.rootBus && path.count == topology.bridges.count + 1
            && path.last == Place(address) && zip(path, topology.bridges).allSatisfy { $0 == Place($1) }
    }

    /// Whether another one has the same ids, and no other serial number as far as both are known.
    func isSameModel(as other: StableIdentity) -> Bool {
        ids == other.ids && (serial == nil || other.serial == nil || serial == other.serial)
    }
}

extension StableIdentity: LosslessStringConvertible {
    /// Reads the text; nil for anything else, however near it comes. Hexadecimal digits of either case are taken.
    public init?(_ description: String) {
        var rest = Substring(description)
        virtualFunction = nil
        if let (name, index) = Self.virtualFunction(rest) {
            rest = name
            virtualFunction = index
        }
        var fields = rest.split(separator: "-", omittingEmptySubsequences: false)
        serial = nil
        if fields.count == 4 {
            let serial = fields.removeLast()
            guard serial.hasPrefix("sn"), let number = Self.hexadecimal64(serial.dropFirst(2)) else { return nil }
            self.serial = number
        }
        guard fields.count == 3, let device = Self.pair(fields[1]), let subsystem = Self.pair(fields[2]) else {
            return nil
        }
        ids = DeviceIdentity(
            vendorID: device.0, deviceID: device.1, subsystemVendorID: subsystem.0, subsystemDeviceID: subsystem.1)

        let steps = fields[0].split(separator: "/", omittingEmptySubsequences: false)
        let places = steps.dropFirst().compactMap(Self.place)
        guard let root = Self.bus(steps[0]), !places.isEmpty, places.count == steps.count - 1 else { return nil }
        (domain, rootBus, path) = (root.domain, root.bus, places)
    }

    /// The text that `init(_:)` reads.
    public var description: String {
        var text = place
        text += "-" + hexadecimal(ids.vendorID, width: 4) + ":" + hexadecimal(ids.deviceID, width: 4)
        text += "-" + hexadecimal(ids.subsystemVendorID, width: 4) + ":" + hexadecimal(ids.subsystemDeviceID, width: 4)
        if let serial { text += "-sn" + hexadecimal(serial, width: 16) }
        if let virtualFunction { text += ":vf\(virtualFunction)" }
        return text
    }

    /// What stands before a `:vf3` at the end, and its number; nil without one. A PF has at most 65,535 of them.
    static func virtualFunction(_ text: Substring) -> (name: Substring, index: Int)? {
        guard let colon = text.lastIndex(of: ":"), text[colon...].hasPrefix(":vf") else { return nil }
        let digits = text[colon...].dropFirst(3)
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let index = Int(digits), index < 1 << 16
        else { return nil }
        return (text[..<colon], index)
    }

    /// `0000:80`, a domain of four digits or more and a bus of two.
    static func bus(_ text: Substring) -> (domain: UInt32, bus: UInt8)? {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 2, fields[0].utf8.count >= 4, fields[1].utf8.count == 2,
            let domain = hexadecimalNumber(fields[0].utf8), let bus = hexadecimalNumber(fields[1].utf8)
        else { return nil }
        return (domain, UInt8(truncatingIfNeeded: bus))
    }

    /// `1f.7`.
    private static func place(_ text: Substring) -> Place? {
        let fields = text.split(separator: ".", omittingEmptySubsequences: false)
        guard fields.count == 2, fields[0].utf8.count == 2, fields[1].utf8.count == 1,
            let slot = hexadecimalNumber(fields[0].utf8), slot < 32,
            let function = hexadecimalNumber(fields[1].utf8), function < 8
        else { return nil }
        return Place(slot: UInt8(slot), function: UInt8(function))
    }

    /// `8086:10c9`.
    private static func pair(_ text: Substring) -> (UInt16, UInt16)? {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 2, fields.allSatisfy({ $0.utf8.count == 4 }),
            let first = hexadecimalNumber(fields[0].utf8), let second = hexadecimalNumber(fields[1].utf8)
        else { return nil }
        return (UInt16(first), UInt16(second))
    }

    private static func hexadecimal64(_ text: Substring) -> UInt64? {
        guard text.utf8.count == 16, let high = hexadecimalNumber(text.prefix(8).utf8),
            let low = hexadecimalNumber(text.suffix(8).utf8)
        else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }
}

extension StableIdentity: Codable {
    /// Reads the text from a single string.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let identity = StableIdentity(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is no stable identity")
        }
        self = identity
    }

    /// Writes the text as a single string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension HostSnapshot {
    /// A device's stable identity; nil where its topology was not read or is not known, and for a virtual function whose
    /// physical one is not there.
    public func stableIdentity(of device: Device) -> StableIdentity? {
        if let address = device.physicalFunction {
            guard let index = device.vfIndex, let physical = self.device(at: address), physical.physicalFunction == nil,
                var identity = stableIdentity(of: physical)
            else { return nil }
            identity.virtualFunction = index
            return identity
        }
        guard let topology = device.topology else { return nil }
        return StableIdentity(
            domain: topology.domain, rootBus: topology.rootBus,
            path: (topology.bridges + [device.address]).map { StableIdentity.Place($0) }, ids: device.identity,
            serial: device.serialNumber)
    }
}

/// Where a list of capabilities broke, or what of it was not to be had.
public enum ChainFault: Hashable, Sendable, CustomStringConvertible {
    /// Fewer than 64 bytes were read: there is not even a header.
    case noHeader(count: Int)
    /// All ones were read: the device is gone, asleep, or a virtual function that is not enabled.
    case silent
    /// The header has no layout that the specification knows.
    case unknownLayout(UInt8)
    /// The capability at this offset was met before.
    case loop(at: Int)
    /// A pointer leads out of the region where capabilities may lie.
    case outOfRange(to: Int)
    /// The capability at this offset reads as all ones.
    case allOnes(at: Int)
    /// The list goes on at this offset, beyond the bytes that were read. Without privileges the kernel gives out 64.
    case notRead(at: Int)
    /// The registers of the capability at this offset end before the last of its fields.
    case cut(at: Int)

    /// One sentence for a person.
    public var description: String {
        switch self {
        case .noHeader(let count): "configuration space is \(count) bytes long, less than its header"
        case .silent: "configuration space reads as all ones: the device is asleep, or gone"
        case .unknownLayout(let type): "the header is of type \(hexadecimal(type, width: 2)), which is unknown"
        case .loop(let offset): "the list of capabilities loops at \(hexadecimal(offset, width: 2))"
        case .outOfRange(let offset):
            "the list of capabilities leads to \(hexadecimal(offset, width: 2)), where none may be"
        case .allOnes(let offset): "the capability at \(hexadecimal(offset, width: 2)) reads as all ones"
        case .notRead(let offset):
            "the list of capabilities goes on at \(hexadecimal(offset, width: 2)), which was not read"
        case .cut(let offset):
            "the capability at \(hexadecimal(offset, width: 2)) is cut off before its last register"
        }
    }
}

/// Follows both lists of capabilities, each offset at most once.
struct CapabilityWalk {
    private let bytes: [UInt8]
    let header: ConfigurationHeader?
    private(set) var capabilities: [Capability] = []
    private(set) var extendedCapabilities: [Capability] = []
    private(set) var faults: [ChainFault] = []

    /// Where the extended capabilities begin (`PCI_CFG_SPACE_SIZE`).
    private static let standardEnd = 0x100

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        header = ConfigurationHeader(Registers(bytes, from: 0, to: ConfigurationHeader.size))
        if header == nil {
            faults.append(.noHeader(count: bytes.count))
        } else if bytes.allSatisfy({ $0 == 0xff }) {
            faults.append(.silent)
        } else if case .unknown(let type)? = header?.layout {
            faults.append(.unknownLayout(type))
        }
    }

    /// Whether the ids are those of a virtio device (Virtio 1.2, 4.1.2), whose own capabilities are a standard.
    private var isVirtio: Bool {
        header.map { $0.vendorID == 0x1af4 && (0x1000...0x107f).contains($0.deviceID) } ?? false
    }

    /// Walks the list that the header points to: an id, the offset of the next, then registers.
    mutating func standard() {
        guard let header, faults.isEmpty else { return }
        var seen: Set<Int> = []
        var offset = Int(header.capabilityPointer)
        while offset != 0 {
            guard offset >= ConfigurationHeader.size else { return faults.append(.outOfRange(to: offset)) }
            let registers = Registers(bytes, from: offset, to: Self.standardEnd)
            guard registers.reaches(4) else { return faults.append(.notRead(at: offset)) }
            guard seen.insert(offset).inserted else { return faults.append(.loop(at: offset)) }
            let id = registers.byte(0)
            guard id != 0xff else { return faults.append(.allOnes(at: offset)) }
            take(Capability(standard: id, at: offset, registers, isVirtio: isVirtio))
            offset = Int(registers.byte(1) & ~3)
        }
    }

    /// Walks the list at 0x100, which only PCI Express and PCI-X 2.0 functions have: id and version, the offset of the
    /// next, then registers.
    mutating func extended() {
        let hasExtended = capabilities.contains { $0.id == .pciExpress || $0.id == .pciX }
        guard hasExtended, bytes.count > Self.standardEnd else { return }
        var seen: Set<Int> = []
        var offset = Self.standardEnd
        while offset != 0 {
            guard offset >= Self.standardEnd else { return faults.append(.outOfRange(to: offset)) }
            let registers = Registers(bytes, from: offset, to: ConfigurationSpace.largestSize)
            guard registers.reaches(4) else { return faults.append(.notRead(at: offset)) }
            let word = registers.long(0)
            // At the start, nothing or all ones is how a function without any answers.
            if word == 0 || word == 0xffff_ffff && offset == Self.standardEnd { return }
            guard word != 0xffff_ffff else { return faults.append(.allOnes(at: offset)) }
            guard seen.insert(offset).inserted else { return faults.append(.loop(at: offset)) }
            take(Capability(extended: word, at: offset, registers))
            offset = word.bits(20...31) & ~3
        }
    }

    private mutating func take(_ capability: Capability) {
        if case .cut = capability.content { faults.append(.cut(at: capability.offset)) }
        switch capability.id {
        case .standard: capabilities.append(capability)
        case .extended: extendedCapabilities.append(capability)
        }
    }
}

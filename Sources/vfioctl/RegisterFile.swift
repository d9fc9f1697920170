internal import LinuxIO
internal import PCI
internal import VFIO

/// The width of a register access.
enum AccessWidth: Int, CaseIterable {
    case bits8 = 8
    case bits16 = 16
    case bits32 = 32
    case bits64 = 64

    init(parsing text: String) throws {
        guard let width = Int(text).flatMap(AccessWidth.init(rawValue:)) else {
            throw CommandFailure(.usage, "a register is 8, 16, 32 or 64 bits wide, not '\(text)'")
        }
        self = width
    }

    /// A value of this width as the contract spells it: lower case, padded with zeros.
    func spell(_ value: UInt64) -> String { "0x" + hexadecimal(value, width: rawValue / 4) }
}

/// A register as the command line names one.
struct RegisterPlace {
    var region: RegionIndex
    var offset: Int
    var width: AccessWidth

    init(region: String, offset: String, width: AccessWidth) throws {
        guard let index = RegionIndex(name: region) else {
            throw CommandFailure(.usage, "there is no region '\(region)': they are bar0 to bar5, rom, config and vga")
        }
        let place = try parseNumber(offset, "offset")
        let bytes = UInt64(width.rawValue / 8)
        guard place % bytes == 0 else {
            throw CommandFailure(
                .usage,
                "\(offset) is not aligned for a register of \(width.rawValue) bits: it is no multiple of \(bytes)")
        }
        self.region = index
        // No file is as long; that the region is not either is for the device to say.
        self.offset = Int(exactly: place) ?? Int.max & ~7
        self.width = width
    }
}

/// A number of the command line called `what`, decimal or hexadecimal with 0x in front, of at most 64 bits.
func parseNumber(_ text: String, _ what: String) throws -> UInt64 {
    let isHexadecimal = text.hasPrefix("0x") || text.hasPrefix("0X")
    let digits = isHexadecimal ? text.dropFirst(2) : text[...]
    guard digits.first?.isHexDigit == true, let number = UInt64(digits, radix: isHexadecimal ? 16 : 10) else {
        throw CommandFailure(.usage, "'\(text)' is no \(what): a number such as 64 or 0x40, of at most 64 bits")
    }
    return number
}

/// A device's registers: through a mapping where the region has one there, through the device's file elsewhere.
struct RegisterFile: ~Copyable {
    private let device: VFIODevice
    private var regions: [RegionIndex: Region] = [:]

    init(_ device: consuming VFIODevice) { self.device = device }

    /// Refuses a register that the device does not have, or that may not be accessed so, before anything is touched.
    mutating func check(_ place: RegisterPlace, writing: Bool) throws(VFIOError) {
        let region = try region(place.region)
        switch place.width {
        case .bits8: try device.check(Register<UInt8>(place.offset), in: region, writing: writing)
        case .bits16: try device.check(Register<UInt16>(place.offset), in: region, writing: writing)
        case .bits32: try device.check(Register<UInt32>(place.offset), in: region, writing: writing)
        case .bits64: try device.check(Register<UInt64>(place.offset), in: region, writing: writing)
        }
    }

    mutating func read(_ place: RegisterPlace) throws(VFIOError) -> UInt64 {
        switch place.width {
        case .bits8: UInt64(try read(Register<UInt8>(place.offset), in: place.region))
        case .bits16: UInt64(try read(Register<UInt16>(place.offset), in: place.region))
        case .bits32: UInt64(try read(Register<UInt32>(place.offset), in: place.region))
        case .bits64: try read(Register<UInt64>(place.offset), in: place.region)
        }
    }

    mutating func write(_ value: UInt64, to place: RegisterPlace) throws(VFIOError) {
        switch place.width {
        case .bits8: try write(UInt8(truncatingIfNeeded: value), to: Register(place.offset), in: place.region)
        case .bits16: try write(UInt16(truncatingIfNeeded: value), to: Register(place.offset), in: place.region)
        case .bits32: try write(UInt32(truncatingIfNeeded: value), to: Register(place.offset), in: place.region)
        case .bits64: try write(value, to: Register(place.offset), in: place.region)
        }
    }

    private mutating func read<Integer>(
        _ register: Register<Integer>, in index: RegionIndex
    ) throws(VFIOError) -> Integer {
        let region = try region(index)
        guard let area = region.mappableArea(of: register) else { return try device.read(register, in: region) }
        return try device.map(region, area: area).read(register)
    }

    private mutating func write<Integer>(
        _ value: Integer, to register: Register<Integer>, in index: RegionIndex
    ) throws(VFIOError) {
        let region = try region(index)
        guard let area = region.mappableArea(of: register) else {
            return try device.write(value, to: register, in: region)
        }
        try device.map(region, area: area).write(value, to: register)
    }

    private mutating func region(_ index: RegionIndex) throws(VFIOError) -> Region {
        if let known = regions[index] { return known }
        let region = try device.region(index)
        regions[index] = region
        return region
    }
}

extension Region {
    /// The mappable area in which a register lies whole.
    fileprivate func mappableArea<Integer>(of register: Register<Integer>) -> Area? {
        guard register.offset >= 0 else { return nil }
        let width = UInt64(MemoryLayout<Integer>.size)
        return mappableAreas.first { $0.size >= 8 && $0.contains(offset: UInt64(register.offset), count: width) }
    }
}

internal import PCI

/// Bytes of a configuration space, built piece by piece.
struct ConfigurationBuilder {
    var bytes: [UInt8]
    private var lastStandard = 0x34
    private var lastExtended: Int?

    /// A device 8086:10c9 of `size` bytes, header type 0.
    init(size: Int = 4096, type: UInt8 = 0) {
        bytes = [UInt8](repeating: 0, count: size)
        set(0x00, [0x86, 0x80, 0xc9, 0x10])
        bytes[0x0e] = type
    }

    /// Sets bytes, as far as there are any.
    mutating func set(_ offset: Int, _ values: [UInt8]) {
        for (index, value) in values.enumerated() where offset + index < bytes.count { bytes[offset + index] = value }
    }

    /// Adds a capability to the list: `registers` follow the id and the pointer.
    mutating func add(_ id: UInt8, at offset: Int, _ registers: [UInt8] = []) {
        bytes[0x06] |= 0x10
        bytes[lastStandard] = UInt8(offset)
        lastStandard = offset + 1
        set(offset, [id, 0] + registers)
    }

    /// Adds an extended capability: `registers` follow the four bytes of its head. The first belongs at 0x100.
    mutating func addExtended(_ id: UInt16, version: UInt8 = 1, at offset: Int, _ registers: [UInt8] = []) {
        if let lastExtended {
            bytes[lastExtended + 2] |= UInt8(offset << 4 & 0xf0)
            bytes[lastExtended + 3] = UInt8(offset >> 4)
        }
        lastExtended = offset
        set(offset, [UInt8(id & 0xff), UInt8(id >> 8), version & 0xf, 0] + registers)
    }

    /// Adds the PCI Express capability of an endpoint, which extended capabilities need.
    mutating func addExpress(at offset: Int = 0x40) {
        add(0x10, at: offset, [0x02, 0x00] + [UInt8](repeating: 0, count: 0x38))
    }

    var space: ConfigurationSpace { ConfigurationSpace(bytes: bytes) }
}

internal import PCI

/// A device for each capability: bytes written by hand from the specification's tables, with no two fields alike.
enum SampleCapabilities {
    static var all: [ConfigurationBuilder] {
        [
            power, msi, msi32, msix, vendor, virtio, subsystem, slotID, hyperTransport, advancedFeatures, endpoint,
            rootPort, integrated, errors, serialNumber, accessControl, routingID, translation, sriov, resizable,
            latency, containment, substates, time, vendors, unknown, looped, broken, bridge,
        ]
    }

    /// D1 but not D2, wakes from D0 and D3hot, is in D3, loses its settings there.
    static var power: ConfigurationBuilder { standard(0x01, [0x03, 0x4a, 0x03, 0x81, 0x00, 0x00]) }

    /// 4 of 32 vectors, 64-bit, masks.
    static var msi: ConfigurationBuilder {
        standard(
            0x05,
            [0xab, 0x01, 0x04, 0x03, 0xe0, 0xfe, 0x01, 0, 0, 0, 0x41, 0x40, 0, 0, 0x05, 0, 0, 0, 0x02, 0, 0, 0])
    }

    /// One vector, 32-bit, off.
    static var msi32: ConfigurationBuilder { standard(0x05, [0x00, 0x00, 0x00, 0x00, 0xe0, 0xfe, 0x22, 0x00]) }

    /// 10 vectors, on; table in BAR 3, pending bits at 0x2000 of it.
    static var msix: ConfigurationBuilder {
        standard(0x11, [0x09, 0x80, 0x03, 0x00, 0x00, 0x00, 0x03, 0x20, 0x00, 0x00])
    }

    static var vendor: ConfigurationBuilder { standard(0x09, [0x0c, 0xaa, 0xbb]) }

    /// All kinds of structure of a virtio device.
    static var virtio: ConfigurationBuilder {
        var device = ConfigurationBuilder(size: 256)
        device.set(0x00, [0xf4, 0x1a, 0x41, 0x10])
        for (index, kind) in ([1, 2, 3, 4, 5, 8] as [UInt8]).enumerated() {
            device.add(
                0x09, at: 0x40 + 0x14 * index,
                [0x14, kind, 4, 0, 0, 0, 0, UInt8(index) << 4, 0, 0, 0, 0x10, 0, 0, 4, 0, 0, 0])
        }
        return device
    }

    static var subsystem: ConfigurationBuilder { standard(0x0d, [0, 0, 0x28, 0x10, 0x34, 0x12]) }

    static var slotID: ConfigurationBuilder { standard(0x04, [0x25, 0x07]) }

    /// A mapping of MSI, on and fixed.
    static var hyperTransport: ConfigurationBuilder {
        var device = standard(0x08, [0x03, 0xa8])
        for (index, kind)
            in ([0x00, 0x20, 0x40, 0x80, 0x88, 0x90, 0x98, 0xa0, 0xb0, 0xb8, 0xc0, 0xc8, 0xd8] as [UInt8])
            .enumerated()
        {
            device.add(0x08, at: 0x60 + 4 * index, [0, kind])
        }
        return device
    }

    static var advancedFeatures: ConfigurationBuilder { standard(0x13, [0x06, 0x03, 0x00, 0x01]) }

    /// An endpoint with FLR at 8 GT/s x4, of 16 GT/s x8.
    static var endpoint: ConfigurationBuilder {
        var device = ConfigurationBuilder()
        device.add(
            0x10, at: 0x40,
            [
                0x02, 0x04, 0x22, 0x80, 0x00, 0x10, 0x30, 0x51, 0x20, 0x00, 0x84, 0x0c, 0x43, 0x05, 0x42, 0x00, 0x43,
                0x28,
            ] + [UInt8](repeating: 0, count: 16) + [0x10, 0x08, 0x02, 0x00, 0x40, 0x04] + [
                0, 0, 0x1e, 0, 0, 0, 0x04, 0,
            ])
        return device
    }

    /// A root port with a hot-plug slot, occupied, 75 W, ARI forwarding.
    static var rootPort: ConfigurationBuilder {
        var device = ConfigurationBuilder(type: 1)
        device.set(0x18, [0x00, 0x03, 0x05])
        device.add(
            0x10, at: 0x40,
            [
                0x42, 0x07, 0x01, 0x80, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x13, 0x4c, 0x72, 0x07, 0x11, 0x00, 0x83,
                0x30, 0xe3, 0x25, 0x60, 0x00, 0x00, 0x00, 0x40, 0x00, 0, 0, 0, 0, 0, 0, 0, 0,
            ] + [0x60, 0x08, 0x00, 0x00, 0x20, 0x00] + [0, 0, 0x0e, 0, 0, 0, 0x03, 0])
        return device
    }

    /// Inside the root complex: no link.
    static var integrated: ConfigurationBuilder {
        var device = ConfigurationBuilder()
        device.add(0x10, at: 0x40, [0x92, 0x00, 0x00, 0x80, 0x00, 0x10] + [UInt8](repeating: 0, count: 0x38))
        return device
    }

    static var errors: ConfigurationBuilder {
        extended(
            0x01, version: 2,
            [
                0x00, 0x00, 0x10, 0x00, 0x00, 0x40, 0x00, 0x00, 0x30, 0x20, 0x46, 0x00, 0x01, 0x20, 0x00, 0x00, 0x00,
                0x20, 0x00, 0x00, 0xb4, 0x00, 0x00, 0x00,
            ] + [UInt8](repeating: 0, count: 16))
    }

    static var serialNumber: ConfigurationBuilder {
        extended(0x03, [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11])
    }

    /// Everything but egress control, of which the four that isolate are on.
    static var accessControl: ConfigurationBuilder { extended(0x0d, [0x5f, 0x00, 0x1d, 0x00]) }

    static var routingID: ConfigurationBuilder { extended(0x0e, [0x02, 0x07, 0x30, 0x00]) }

    /// ATS, then PASID, then page requests.
    static var translation: ConfigurationBuilder {
        var device = extended(0x0f, [0x04, 0x00, 0x01, 0x80])
        device.addExtended(0x1b, at: 0x140, [0x06, 0x14, 0x03, 0x00])
        device.addExtended(0x13, at: 0x160, [0x01, 0x00, 0x00, 0x01, 0x40, 0, 0, 0, 0x20, 0, 0, 0])
        device.addExtended(0x0f, at: 0x180, [0x00, 0x00, 0x00, 0x00])
        return device
    }

    /// 2 of 7 virtual functions, at 128 and every 2, with a 64-bit and a 32-bit region.
    static var sriov: ConfigurationBuilder {
        extended(
            0x10,
            [
                0x00, 0x00, 0x60, 0x00, 0x19, 0x00, 0x00, 0x00, 0x08, 0x00, 0x07, 0x00, 0x02, 0x00, 0x01, 0x00, 0x80,
                0x00, 0x02, 0x00, 0x00, 0x00, 0xca, 0x10, 0x53, 0x05, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
                0x0c, 0x00, 0x40, 0xfe, 0x01, 0x00, 0x00, 0x00, 0, 0, 0, 0, 0x00, 0x00, 0x50, 0xfe, 0, 0, 0, 0, 0, 0, 0,
                0,
                0, 0, 0, 0,
            ])
    }

    /// BAR 0 of 256 MiB, to be 8 GiB at most; BAR 2 of 1 MiB.
    static var resizable: ConfigurationBuilder {
        var device = extended(
            0x15, [0x00, 0x00, 0x02, 0x00, 0x40, 0x08, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00])
        device.bytes[0x105] = 0xf0
        device.bytes[0x106] = 0x03
        device.addExtended(0x24, at: 0x140, [0x30, 0, 0, 0, 0x21, 0x01, 0x01, 0x00])
        return device
    }

    static var latency: ConfigurationBuilder { extended(0x18, [0x03, 0x10, 0x46, 0x08]) }

    static var containment: ConfigurationBuilder {
        extended(0x1d, [0xe5, 0x10, 0x02, 0x00, 0x01, 0x1f, 0x00, 0x01])
    }

    static var substates: ConfigurationBuilder {
        extended(0x1e, [0x1e, 0x28, 0x28, 0x00, 0x0a, 0x28, 0x00, 0x40, 0x28, 0, 0, 0])
    }

    static var time: ConfigurationBuilder { extended(0x1f, [0x05, 0x0a, 0, 0, 0x01, 0x0a, 0, 0]) }

    /// A vendor's own, and one of CXL's that says which functions there are.
    static var vendors: ConfigurationBuilder {
        var device = extended(0x0b, [0x02, 0x00, 0xc1, 0x00])
        device.addExtended(0x23, at: 0x140, [0x86, 0x80, 0x22, 0x01, 0x07, 0x00])
        return device
    }

    /// Ids that nobody knows, and one that this version of lspci may not know.
    static var unknown: ConfigurationBuilder {
        var device = standard(0x55, [1, 2])
        device.addExpress(at: 0x60)
        device.addExtended(0x02, at: 0x100)
        device.addExtended(0x1234, at: 0x140)
        device.addExtended(0x30, at: 0x160)
        return device
    }

    static var looped: ConfigurationBuilder {
        var device = endpoint
        device.bytes[0x41] = 0x40
        device.addExtended(0x0e, at: 0x100)
        device.addExtended(0x0d, at: 0x140)
        device.set(0x142, [0x01, 0x10])
        return device
    }

    static var broken: ConfigurationBuilder {
        var device = endpoint
        device.bytes[0x41] = 0xc0
        device.set(0xc0, [0xff, 0xff])
        return device
    }

    static var bridge: ConfigurationBuilder {
        var device = ConfigurationBuilder(size: 256, type: 0x81)
        device.set(0x18, [0x01, 0x02, 0x04])
        device.add(0x0d, at: 0x40, [0, 0, 0x86, 0x80, 0x01, 0x00])
        return device
    }

    private static func standard(_ id: UInt8, _ registers: [UInt8]) -> ConfigurationBuilder {
        var device = ConfigurationBuilder()
        device.add(id, at: 0x40, registers)
        return device
    }

    private static func extended(_ id: UInt16, version: UInt8 = 1, _ registers: [UInt8]) -> ConfigurationBuilder {
        var device = ConfigurationBuilder()
        device.addExpress()
        device.addExtended(id, version: version, at: 0x100, registers)
        return device
    }
}

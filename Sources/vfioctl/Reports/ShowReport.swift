internal import Host
internal import PCI

/// The contract's answer of `show`: what `list` says of each device, and its hardware.
struct ShowReport: Encodable {
    let schema = "vfioctl.show/1"
    var devices: [Entry]
    /// What could not be looked at of the host: where it could hide a user, an empty `in_use` does not mean unused.
    var notes: [String]

    /// One device: the keys of both in one object.
    struct Entry: Encodable {
        var device: DeviceReport
        var hardware: HardwareReport

        func encode(to encoder: any Encoder) throws {
            try device.encode(to: encoder)
            try hardware.encode(to: encoder)
        }
    }

    init(_ devices: [Device], of snapshot: HostSnapshot, names: some DeviceNames) {
        let list = DeviceListReport(devices, of: snapshot, names: names)
        notes = list.notes
        self.devices = zip(devices, list.devices).map { device, report in
            Entry(device: report, hardware: HardwareReport(device.hardware ?? DeviceHardware()))
        }
    }
}

/// A device's hardware in JSON.
struct HardwareReport: Encodable {
    struct Region: Encodable {
        var index: Int
        var kind: String
        var width: Int
        var size: UInt64
        var prefetchable: Bool
        @Nullable var address: String?

        init(_ bar: BAR) {
            index = bar.index
            kind = bar.kind.rawValue
            width = bar.width
            size = bar.size
            prefetchable = bar.isPrefetchable
            address = bar.address.map { "0x" + hexadecimal($0, width: 1) }
        }
    }

    struct ROM: Encodable {
        var size: UInt64
        @Nullable var address: String?
        var enabled: Bool
    }

    struct Power: Encodable {
        @Nullable var state: String?
        @Nullable var runtimeStatus: String?
        @Nullable var runtimeControl: String?
        @Nullable var d3coldAllowed: Bool?

        enum CodingKeys: String, CodingKey {
            case state
            case runtimeStatus = "runtime_status"
            case runtimeControl = "runtime_control"
            case d3coldAllowed = "d3cold_allowed"
        }
    }

    struct Link: Encodable {
        @Nullable var speed: String?
        @Nullable var width: Int?
        @Nullable var bestSpeed: String?
        @Nullable var bestWidth: Int?

        enum CodingKeys: String, CodingKey {
            case speed, width
            case bestSpeed = "best_speed"
            case bestWidth = "best_width"
        }
    }

    struct Buses: Encodable {
        var primary: Int
        var secondary: Int
        var subordinate: Int
    }

    var bars: [Region]
    var vfBARs: [Region]
    @Nullable var rom: ROM?
    var resettable: Bool
    @Nullable var resetMethods: [String]?
    var power: Power
    @Nullable var link: Link?
    @Nullable var firmwareNode: FirmwareNode?
    @Nullable var serial: String?
    @Nullable var bootVGA: Bool?
    @Nullable var modalias: String?
    var modules: [String]
    @Nullable var headerType: String?
    @Nullable var multifunction: Bool?
    @Nullable var buses: Buses?
    /// Null when it was not permitted to look.
    @Nullable var capabilities: [CapabilityReport]?
    var notes: [String]

    enum CodingKeys: String, CodingKey {
        case bars, rom, resettable, power, link, serial, modalias, modules, multifunction, buses, capabilities, notes
        case vfBARs = "vf_bars"
        case resetMethods = "reset_methods"
        case firmwareNode = "firmware_node"
        case bootVGA = "boot_vga"
        case headerType = "header_type"
    }

    init(_ hardware: DeviceHardware) {
        bars = hardware.bars.map(Region.init)
        vfBARs = hardware.vfBARs.map(Region.init)
        rom = hardware.rom.map { rom in
            ROM(size: rom.size, address: rom.address.map { "0x" + hexadecimal($0, width: 1) }, enabled: rom.isEnabled)
        }
        resettable = hardware.canReset
        resetMethods = hardware.resetMethods
        power = Power(
            state: hardware.power.state, runtimeStatus: hardware.power.runtimeStatus,
            runtimeControl: hardware.power.runtimeControl, d3coldAllowed: hardware.power.d3coldAllowed)
        link = hardware.link.map {
            Link(
                speed: $0.speed?.description, width: $0.width, bestSpeed: $0.bestSpeed?.description,
                bestWidth: $0.bestWidth)
        }
        firmwareNode = hardware.firmwareNode
        serial = hardware.serial
        bootVGA = hardware.isBootVGA
        modalias = hardware.modalias
        modules = hardware.modules
        let header = hardware.configuration?.header
        headerType = header.map {
            switch $0.layout {
            case .normal: "device"
            case .bridge: "bridge"
            case .cardBus: "cardbus"
            case .unknown(let type): hexadecimal(type, width: 2)
            }
        }
        multifunction = header?.isMultifunction
        buses = header?.buses.map {
            Buses(primary: Int($0.primary), secondary: Int($0.secondary), subordinate: Int($0.subordinate))
        }
        capabilities =
            hardware.knowsCapabilities
            ? hardware.configuration.map { $0.allCapabilities.map(CapabilityReport.init) } : nil
        notes = hardware.notes
    }
}

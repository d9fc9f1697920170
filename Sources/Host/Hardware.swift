public import PCI

/// What the hardware of one PCI function is and can do: read on demand, for the devices that are asked about, and never
/// to enumerate.
///
/// What could not be looked at is nil and has a note. `HostSnapshot.readHardware(of:from:)` makes it.
public struct DeviceHardware: Hashable, Sendable, Codable {
    /// Configuration space, with its capabilities decoded; nil when `config` cannot be read.
    public var configuration: ConfigurationSpace?
    /// The regions that have a size, by number.
    public var bars: [BAR] = []
    /// The expansion ROM, when there is one.
    public var rom: ExpansionROM?
    /// What each virtual function of this physical one has: sizes are those of one of them. Empty for others.
    public var vfBARs: [BAR] = []
    /// Whether the kernel has some way to reset the function alone: whether `reset` is there.
    public var canReset = false
    /// The ways, in the order in which the kernel tries them (`reset_method`: `flr`, `pm`, `bus` …); nil on kernels before
    /// 5.15, which do not say.
    public var resetMethods: [String]?
    /// Power.
    public var power = DevicePower()
    /// The link, as sysfs has it; nil when the function has none.
    public var link: DeviceLink?
    /// Its place in the firmware's tables.
    public var firmwareNode: FirmwareNode?
    /// The serial number in its Vital Product Data. Root reads it; another one is in the capability Device Serial Number.
    public var serial: String?
    /// Whether this is the display that the firmware set up (`boot_vga`); nil when it is no VGA device.
    public var isBootVGA: Bool?
    /// The kernel's name for what drivers should claim it (`modalias`).
    public var modalias: String?
    /// The modules that say they drive it, loaded or not, in alphabetical order.
    public var modules: [String] = []
    /// What was not permitted or not possible to look at, and what is wrong: one sentence each.
    public var notes: [String] = []

    /// Knows nothing yet.
    public init() {}

    /// Whether the lists of capabilities were there to be read. Without privileges the kernel gives out 64 bytes, and they
    /// are not in it.
    public var knowsCapabilities: Bool {
        guard let configuration, configuration.header != nil, !configuration.isSilent else { return false }
        return !configuration.faults.contains { if case .notRead = $0 { true } else { false } }
    }
}

/// Where a function stands in the firmware's description of the machine.
public struct FirmwareNode: Hashable, Sendable, Codable {
    /// The kinds of description.
    public enum Kind: String, Hashable, Sendable, Codable {
        /// ACPI: `\_SB_.PCI0.RP05.PXSX` (`firmware_node/path`).
        case acpi
        /// A device tree: `/soc/pcie@40000000/…` (`of_node`).
        case deviceTree = "device-tree"
    }

    /// Which description.
    public var kind: Kind
    /// The path in it.
    public var path: String

    /// Makes a node of what was read.
    public init(kind: Kind, path: String) {
        self.kind = kind
        self.path = path
    }
}

/// Power states, all of them read without waking the device.
public struct DevicePower: Hashable, Sendable, Codable {
    /// The state before anything else was asked: `D0` to `D3cold`, or `unknown` (`power_state`, kernel 5.13 and newer).
    public var state: String?
    /// What runtime power management makes of it: `active`, `suspended`, `unsupported` … (`power/runtime_status`).
    public var runtimeStatus: String?
    /// `on`: it is kept awake; `auto`: it may be put to sleep when idle (`power/control`).
    public var runtimeControl: String?
    /// Whether its power may be cut altogether (`d3cold_allowed`).
    public var d3coldAllowed: Bool?

    /// Makes a state of what was read.
    public init(
        state: String? = nil, runtimeStatus: String? = nil, runtimeControl: String? = nil, d3coldAllowed: Bool? = nil
    ) {
        self.state = state
        self.runtimeStatus = runtimeStatus
        self.runtimeControl = runtimeControl
        self.d3coldAllowed = d3coldAllowed
    }
}

/// A link, now and at best: `current_link_speed`, `current_link_width`, `max_link_speed`, `max_link_width`. Anyone may
/// read these, where the capability needs root.
public struct DeviceLink: Hashable, Sendable, Codable {
    /// The speed now; nil when the kernel does not know.
    public var speed: LinkSpeed?
    /// The lanes now; 0 when nothing is connected.
    public var width: Int?
    /// The highest speed the function can do.
    public var bestSpeed: LinkSpeed?
    /// The most lanes.
    public var bestWidth: Int?

    /// Makes a link of what was read.
    public init(speed: LinkSpeed? = nil, width: Int? = nil, bestSpeed: LinkSpeed? = nil, bestWidth: Int? = nil) {
        self.speed = speed
        self.width = width
        self.bestSpeed = bestSpeed
        self.bestWidth = bestWidth
    }

    /// Whether it runs below what the function can do. A port with nothing below it is not.
    public var isBelowBest: Bool {
        guard let width, width > 0 else { return false }
        if let bestWidth, width < bestWidth { return true }
        if let speed, let bestSpeed { return speed < bestSpeed }
        return false
    }
}

/// The speed of a link's lanes, as a code (`PCI_EXP_LNKCAP_SLS`, `PCI_EXP_LNKSTA_CLS`): the generation of PCI Express.
public struct LinkSpeed: RawRepresentable, Hashable, Sendable, Comparable, Codable {
    /// 1 is 2.5 GT/s, 2 is 5 GT/s, and so on; 0 is no link.
    public let rawValue: Int

    /// Makes a speed of its code.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Tenths of a gigatransfer a second: 25 for 2.5 GT/s; nil for a code that is not known.
    public var tenthsOfGigatransfers: Int? {
        switch rawValue {
        case 1: 25
        case 2: 50
        case 3: 80
        case 4: 160
        case 5: 320
        case 6: 640
        default: nil
        }
    }

    /// The slower one has the lower code.
    public static func < (left: LinkSpeed, right: LinkSpeed) -> Bool { left.rawValue < right.rawValue }
}

extension LinkSpeed: CustomStringConvertible {
    /// `2.5 GT/s`, `16 GT/s`; `unknown` for a code that is not known.
    public var description: String {
        guard let tenths = tenthsOfGigatransfers else { return "unknown" }
        return tenths % 10 == 0 ? "\(tenths / 10) GT/s" : "\(tenths / 10).\(tenths % 10) GT/s"
    }
}

/// A function's link: at its best, and now (PCI Express 7.5.3.6; `PCI_EXP_LNKCAP`, `PCI_EXP_LNKCTL`, `PCI_EXP_LNKSTA`).
public struct PCIExpressLink: Hashable, Sendable {
    /// Which states of Active State Power Management (L0s, L1).
    public struct PowerStates: OptionSet, Hashable, Sendable {
        /// The two bits.
        public let rawValue: Int

        /// Makes the set of the register's two bits.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// L0s: back in less than a microsecond or so.
        public static let l0s = PowerStates(rawValue: 1)
        /// L1: deeper.
        public static let l1 = PowerStates(rawValue: 2)
    }

    /// The highest speed the function can do.
    public let bestSpeed: LinkSpeed
    /// The most lanes it has.
    public let bestWidth: Int
    /// The speed now.
    public let speed: LinkSpeed
    /// The lanes in use now; 0 for a port with nothing below.
    public let width: Int
    /// The port's number, as its maker counted.
    public let port: Int
    /// Power states that it supports.
    public let supportedPowerStates: PowerStates
    /// Power states that are switched on.
    public let powerStates: PowerStates
    /// Whether a port says if its link is up (`PCI_EXP_LNKCAP_DLLLARC`).
    public let reportsActivity: Bool
    /// Whether the link is up, where the port says so (`PCI_EXP_LNKSTA_DLLLA`).
    public let isActive: Bool
    /// Whether it was switched off (`PCI_EXP_LNKCTL_LD`).
    public let isDisabled: Bool
    /// Whether it is training just now (`PCI_EXP_LNKSTA_LT`).
    public let isTraining: Bool
    /// The speed it is told to reach (`PCI_EXP_LNKCTL2_TLS`); nil in version 1.
    public let targetSpeed: LinkSpeed?

    init?(_ registers: Registers, version: Int) {
        guard registers.reaches(0x14) else { return nil }
        let capabilities = registers.long(0x0c)
        let control = registers.word(0x10)
        let status = registers.word(0x12)
        bestSpeed = LinkSpeed(rawValue: capabilities.bits(0...3))
        bestWidth = capabilities.bits(4...9)
        speed = LinkSpeed(rawValue: status.bits(0...3))
        width = status.bits(4...9)
        port = capabilities.bits(24...31)
        supportedPowerStates = PowerStates(rawValue: capabilities.bits(10...11))
        powerStates = PowerStates(rawValue: control.bits(0...1))
        reportsActivity = capabilities.bit(20)
        isActive = status.bit(13)
        isDisabled = control.bit(4)
        isTraining = status.bit(11)
        targetSpeed =
            version >= 2 && registers.reaches(0x32) ? LinkSpeed(rawValue: registers.word(0x30).bits(0...3)) : nil
    }
}

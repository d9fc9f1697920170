/// Power management (PCI Power Management 1.2, 3.2; `PCI_PM_…` in linux/pci_regs.h).
public struct PowerManagement: Hashable, Sendable {
    /// Device power states, as a set.
    public struct States: OptionSet, Hashable, Sendable {
        /// One bit a state, D0 lowest.
        public let rawValue: Int

        /// Makes a set of its bits.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// Fully on.
        public static let d0 = States(rawValue: 1)
        /// Light sleep.
        public static let d1 = States(rawValue: 2)
        /// Deeper sleep.
        public static let d2 = States(rawValue: 4)
        /// Off, with power still on the slot.
        public static let d3hot = States(rawValue: 8)
        /// Off, and no power on the slot.
        public static let d3cold = States(rawValue: 16)
    }

    /// The version of the specification (`PCI_PM_CAP_VER_MASK`).
    public let version: Int
    /// The states it has besides D0 and D3: D1 and D2 (`PCI_PM_CAP_D1`, `PCI_PM_CAP_D2`).
    public let sleepStates: States
    /// The states from which it can wake the machine (`PCI_PM_CAP_PME_MASK`).
    public let wakeStates: States
    /// The state it is in, 0 to 3 (`PCI_PM_CTRL_STATE_MASK`).
    public let state: Int
    /// Whether it keeps its settings from D3hot to D0 (`PCI_PM_CTRL_NO_SOFT_RESET`). One that does cannot be reset by
    /// that way: the kernel's reset method `pm` needs this to be false.
    public let keepsSettings: Bool
    /// Whether it may wake the machine (`PCI_PM_CTRL_PME_ENABLE`).
    public let wakeEnabled: Bool
    /// Whether it asks to (`PCI_PM_CTRL_PME_STATUS`).
    public let wakePending: Bool

    init?(_ registers: Registers) {
        guard registers.reaches(0x08) else { return nil }
        let capabilities = registers.word(0x02)
        let control = registers.word(0x04)
        version = capabilities.bits(0...2)
        sleepStates = States(rawValue: capabilities.bits(9...10) << 1)
        wakeStates = States(rawValue: capabilities.bits(11...15))
        state = control.bits(0...1)
        keepsSettings = control.bit(3)
        wakeEnabled = control.bit(8)
        wakePending = control.bit(15)
    }
}

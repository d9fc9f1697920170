internal import CLinux

/// What a device says of itself (`VFIO_DEVICE_GET_INFO`).
public struct DeviceInfo: Hashable, Sendable {
    /// What kind of device it is and what it can do.
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The kernel's bits (`VFIO_DEVICE_FLAGS_*`).
        public let rawValue: UInt32

        /// Makes a set of the kernel's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// It can be reset on its own.
        public static let reset = Flags(rawValue: UInt32(VFIO_DEVICE_FLAGS_RESET))
        /// A PCI device: regions and interrupts are numbered as vfio-pci does.
        public static let pci = Flags(rawValue: UInt32(VFIO_DEVICE_FLAGS_PCI))
        /// A device of the platform.
        public static let platform = Flags(rawValue: UInt32(VFIO_DEVICE_FLAGS_PLATFORM))
        /// An ARM AMBA device.
        public static let amba = Flags(rawValue: UInt32(VFIO_DEVICE_FLAGS_AMBA))
        /// An s390 channel device.
        public static let ccw = Flags(rawValue: UInt32(VFIO_DEVICE_FLAGS_CCW))
        /// An s390 adjunct processor.
        public static let ap = Flags(rawValue: UInt32(VFIO_DEVICE_FLAGS_AP))
        /// An NXP management complex device.
        public static let fslMC = Flags(rawValue: UInt32(VFIO_DEVICE_FLAGS_FSL_MC))
        /// The answer carries capabilities.
        public static let capabilities = Flags(rawValue: UInt32(VFIO_DEVICE_FLAGS_CAPS))

        /// `reset`, `pci` and so on.
        public var names: [String] {
            [
                (Flags.reset, "reset"), (.pci, "pci"), (.platform, "platform"), (.amba, "amba"), (.ccw, "ccw"),
                (.ap, "ap"), (.fslMC, "fsl_mc"),
            ].filter { contains($0.0) }.map { $0.1 }
        }
    }

    /// What kind of device it is and what it can do.
    public var flags: Flags
    /// The highest region index + 1; some between may be empty.
    public var regionCount: UInt32
    /// The highest interrupt index + 1; some between may be empty.
    public var interruptCount: UInt32
    /// What it says beyond that.
    public var capabilities: [InfoCapability]

    /// Makes a device's description of its parts.
    public init(flags: Flags, regionCount: UInt32, interruptCount: UInt32, capabilities: [InfoCapability] = []) {
        self.flags = flags
        self.regionCount = regionCount
        self.interruptCount = interruptCount
        self.capabilities = capabilities
    }
}

extension DeviceInfo {
    /// Reads the kernel's answer.
    init(answer: [UInt8]) throws(BrokenChain) {
        let info = answer.header(vfio_device_info.self)
        self.init(
            flags: Flags(rawValue: info.flags), regionCount: info.num_regions, interruptCount: info.num_irqs)
        // Devices have some ten of each; a number from which a loop would not return is not believed.
        guard regionCount <= 1024, interruptCount <= 1024 else {
            throw BrokenChain("it claims \(regionCount) regions and \(interruptCount) kinds of interrupt")
        }
        guard flags.contains(.capabilities) else { return }
        capabilities = try InfoCapability.chain(
            in: answer, from: info.cap_offset, after: MemoryLayout<vfio_device_info>.size)
    }
}

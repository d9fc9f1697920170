public import LinuxIO

/// A register: where it is in its region, and how wide. A driver spells out its device's once:
///
///     enum Registers {
///         static let identity = Register<UInt32>(0x00)
///     }
public struct Register<Integer: VolatileInteger>: Hashable, Sendable {
    /// From the region's beginning, in bytes.
    public let offset: Int

    /// Makes a register of its offset.
    @inlinable
    public init(_ offset: Int) { self.offset = offset }
}

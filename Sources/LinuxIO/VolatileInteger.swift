public import CLinux

/// An integer that a device register can be: 8, 16, 32 or 64 bits wide.
///
/// A load or a store of one is a single access of that width, which the compiler neither drops, repeats nor merges,
/// ordered against memory as the kernel's `readl` and `writel` are.
public protocol VolatileInteger: FixedWidthInteger, UnsignedInteger, BitwiseCopyable, Sendable {
    /// Reads the register at `address`, which must be aligned to the width and mapped.
    @unsafe static func volatileLoad(from address: UnsafeRawPointer) -> Self

    /// Writes the register at `address`, which must be aligned to the width and mapped for writing.
    @unsafe static func volatileStore(_ value: Self, to address: UnsafeMutableRawPointer)
}

extension UInt8: VolatileInteger {
    /// Reads 8 bits.
    @unsafe @inlinable
    public static func volatileLoad(from address: UnsafeRawPointer) -> UInt8 { unsafe clinux_mmio_read8(address) }

    /// Writes 8 bits.
    @unsafe @inlinable
    public static func volatileStore(_ value: UInt8, to address: UnsafeMutableRawPointer) {
        unsafe clinux_mmio_write8(address, value)
    }
}

extension UInt16: VolatileInteger {
    /// Reads 16 bits.
    @unsafe @inlinable
    public static func volatileLoad(from address: UnsafeRawPointer) -> UInt16 { unsafe clinux_mmio_read16(address) }

    /// Writes 16 bits.
    @unsafe @inlinable
    public static func volatileStore(_ value: UInt16, to address: UnsafeMutableRawPointer) {
        unsafe clinux_mmio_write16(address, value)
    }
}

extension UInt32: VolatileInteger {
    /// Reads 32 bits.
    @unsafe @inlinable
    public static func volatileLoad(from address: UnsafeRawPointer) -> UInt32 { unsafe clinux_mmio_read32(address) }

    /// Writes 32 bits.
    @unsafe @inlinable
    public static func volatileStore(_ value: UInt32, to address: UnsafeMutableRawPointer) {
        unsafe clinux_mmio_write32(address, value)
    }
}

extension UInt64: VolatileInteger {
    /// Reads 64 bits.
    @unsafe @inlinable
    public static func volatileLoad(from address: UnsafeRawPointer) -> UInt64 { unsafe clinux_mmio_read64(address) }

    /// Writes 64 bits.
    @unsafe @inlinable
    public static func volatileStore(_ value: UInt64, to address: UnsafeMutableRawPointer) {
        unsafe clinux_mmio_write64(address, value)
    }
}

/// In which order a 64-bit register behind a 32-bit bus is read or written, as two 32-bit accesses.
public enum HalfOrder: Hashable, Sendable {
    /// The lower-addressed half first.
    case lowHigh
    /// The higher-addressed half first.
    case highLow
}

extension UInt64 {
    /// Reads 64 bits as two 32-bit accesses; `address` needs to be aligned to 4 bytes only.
    @unsafe @inlinable
    public static func volatileLoad(from address: UnsafeRawPointer, halves order: HalfOrder) -> UInt64 {
        switch order {
        case .lowHigh: unsafe clinux_mmio_read64_low_high(address)
        case .highLow: unsafe clinux_mmio_read64_high_low(address)
        }
    }

    /// Writes 64 bits as two 32-bit accesses; `address` needs to be aligned to 4 bytes only.
    @unsafe @inlinable
    public static func volatileStore(_ value: UInt64, to address: UnsafeMutableRawPointer, halves order: HalfOrder) {
        switch order {
        case .lowHigh: unsafe clinux_mmio_write64_low_high(address, value)
        case .highLow: unsafe clinux_mmio_write64_high_low(address, value)
        }
    }
}

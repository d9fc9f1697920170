/// Which region of a device: for PCI, the numbers of vfio-pci's fixed layout (`VFIO_PCI_BAR0_REGION_INDEX` and so on).
/// From 9 on, a region is specific to the device and says what it is in its capabilities.
public struct RegionIndex: RawRepresentable, Hashable, Sendable {
    /// The number that the ioctls take.
    public var rawValue: UInt32

    /// Makes an index of its number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The first BAR.
    public static let bar0 = RegionIndex(rawValue: 0)
    /// The second BAR; empty when the first is 64 bits wide.
    public static let bar1 = RegionIndex(rawValue: 1)
    /// The third BAR.
    public static let bar2 = RegionIndex(rawValue: 2)
    /// The fourth BAR; empty when the third is 64 bits wide.
    public static let bar3 = RegionIndex(rawValue: 3)
    /// The fifth BAR.
    public static let bar4 = RegionIndex(rawValue: 4)
    /// The sixth BAR; empty when the fifth is 64 bits wide.
    public static let bar5 = RegionIndex(rawValue: 5)
    /// The expansion ROM.
    public static let rom = RegionIndex(rawValue: 6)
    /// The configuration space, partly emulated.
    public static let config = RegionIndex(rawValue: 7)
    /// The legacy VGA ranges of a VGA controller.
    public static let vga = RegionIndex(rawValue: 8)

    private static let names = ["bar0", "bar1", "bar2", "bar3", "bar4", "bar5", "rom", "config", "vga"]

    /// `bar0` … `bar5`, `rom`, `config`, `vga`, and `region9` and so on for the rest.
    public var name: String {
        rawValue < Self.names.count ? Self.names[Int(rawValue)] : "region\(rawValue)"
    }

    /// Reads a name, either case; nil for anything else.
    public init?(name: String) {
        let name = name.lowercased()
        if let index = Self.names.firstIndex(of: name) {
            rawValue = UInt32(index)
        } else if name.hasPrefix("region"), let number = UInt32(name.dropFirst(6)), "region\(number)" == name {
            rawValue = number
        } else {
            return nil
        }
    }
}

extension RegionIndex: CustomStringConvertible {
    /// The name.
    public var description: String { name }
}

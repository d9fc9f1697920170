/// What a base address register says: where a region of the device answers, and how (PCI 3.0, 6.2.5.1;
/// `PCI_BASE_ADDRESS_…` in linux/pci_regs.h). Its size is not in it: that takes a write, and the kernel made it.
public struct BaseAddress: Hashable, Sendable {
    /// Which kind of address the region answers to.
    public enum Kind: String, Hashable, Sendable, Codable {
        case memory, io
    }

    /// Which register it is, from 0. One of 64 bits takes the next register too.
    public let index: Int
    /// Memory or I/O ports.
    public let kind: Kind
    /// 32 or 64: how many bits of address there are. An I/O region has 32.
    public let width: Int
    /// Whether reads have no side effect, so that they may be merged and made ahead.
    public let isPrefetchable: Bool
    /// The address; 0 when none was assigned.
    public let address: UInt64

    /// Decodes a row of registers. One that reads as 0 is not there, or has nothing assigned: it is left out. One of all
    /// ones is a device that does not answer.
    static func all(in registers: [UInt32]) -> [BaseAddress] {
        var found: [BaseAddress] = []
        var index = 0
        while index < registers.count {
            let low = registers[index]
            let isWide = !low.bit(0) && low.bits(1...2) == 2 && low != 0xffff_ffff
            let high = isWide && index + 1 < registers.count ? registers[index + 1] : 0
            if low != 0xffff_ffff, low != 0 || high != 0 {
                let mask: UInt32 = low.bit(0) ? ~0x3 : ~0xf
                found.append(
                    BaseAddress(
                        index: index, kind: low.bit(0) ? .io : .memory, width: isWide ? 64 : 32,
                        isPrefetchable: !low.bit(0) && low.bit(3), address: UInt64(high) << 32 | UInt64(low & mask)))
            }
            index += isWide ? 2 : 1
        }
        return found
    }
}

extension ConfigurationHeader {
    /// The base address registers that hold something, decoded.
    public var regions: [BaseAddress] { BaseAddress.all(in: baseAddresses) }
}

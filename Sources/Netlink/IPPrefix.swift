/// A range of addresses: all that begin with the same bits.
public struct IPPrefix: Hashable, Sendable {
    /// The first address of the range.
    public let address: IPAddress
    /// How many bits are the same.
    public let length: Int

    /// Makes the range of `length` bits that `address` lies in; nil when an address has not so many.
    public init?(_ address: IPAddress, length: Int) {
        guard (0...address.bitWidth).contains(length) else { return nil }
        self.address = address.masked(to: length)
        self.length = length
    }

    /// Whether `address` lies in it; one of the other family never does.
    public func contains(_ address: IPAddress) -> Bool {
        address.bitWidth == self.address.bitWidth && address.masked(to: length) == self.address
    }

}

extension IPPrefix: LosslessStringConvertible {
    /// Reads `192.168.1.0/24`; bits past the length are taken for 0.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = Int(parts[1]) else {
            return nil
        }
        self.init(address, length: length)
    }

    /// `192.168.1.0/24`.
    public var description: String { "\(address)/\(length)" }
}

internal import Netlink

/// Other addresses for a host's IP addresses, so that what belonged together still does: an address stays within its
/// network and is the same one everywhere, a network stays within a larger one, and prefix lengths hold.
///
/// They come from 240.0.0.0/4 and 4000::/3, which are nobody's, in the order of the real ones: the same host gives the same
/// ones again. What tells nothing about a host is left: loopback, multicast, unspecified addresses, netmasks, and that an
/// address is a link-local one.
struct AddressPseudonyms {
    private var addresses: Set<IPAddress> = []
    private var networks: Set<Block> = []
    private var pseudonyms: [IPAddress: IPAddress] = [:]

    /// Takes note of an address.
    mutating func learn(_ address: IPAddress) {
        if !Self.tellsNothing(address) { addresses.insert(address) }
    }

    /// Takes note of a network: the addresses in it get theirs from one network too.
    mutating func learn(networkOf address: IPAddress, length: Int) {
        guard (0...address.bitWidth).contains(length) else { return }
        let network = address.masked(to: length)
        learn(network)
        guard length < address.bitWidth, length >= Self.shortestPrefix(address), !Self.tellsNothing(network) else {
            return
        }
        networks.insert(Block(network, length: length))
    }

    /// Shorter prefixes are a default route's halves: nobody's network.
    private static func shortestPrefix(_ address: IPAddress) -> Int { address.bitWidth == 32 ? 8 : 16 }

    private static func tellsNothing(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let value): value >> 24 == 0 || value >> 29 == 0b111 || address.isLoopback || value == 1 << 31
        case .v6: address.isUnspecified || address.isLoopback || address.isMulticast
        }
    }

    /// The address that stands for another one.
    subscript(address: IPAddress) -> IPAddress {
        if address.unmapped != address, case .v4(let value) = self[address.unmapped] {
            return .v6(high: 0, low: 0xffff_0000_0000 | UInt64(value))
        }
        return pseudonyms[address] ?? address
    }

    /// Gives every address that was learnt another one.
    mutating func settle() {
        settle(
            bitWidth: 32, from: Block(.v4(240 << 24), length: 4),
            linkLocal: Block(.v4(169 << 24 | 254 << 16), length: 16))
        settle(
            bitWidth: 128, from: Block(.v6(high: 0x4000 << 48, low: 0), length: 3),
            linkLocal: Block(.v6(high: 0xfe80 << 48, low: 0), length: 10))
    }

    private mutating func settle(bitWidth: Int, from space: Block, linkLocal: Block) {
        let hosts = addresses.filter { $0.bitWidth == bitWidth }.map { Block($0, length: bitWidth) }
        let all = networks.filter { $0.bitWidth == bitWidth && $0 != linkLocal } + hosts
        let local = all.filter(linkLocal.contains)
        place(Block.nested(local), in: linkLocal, standingFor: linkLocal, avoiding: Set(local.map(\.first)))
        place(Block.nested(all.filter { !linkLocal.contains($0) }), in: space, standingFor: nil, avoiding: [])
    }

    /// Places blocks, and what is in them, in another block.
    ///
    /// - Parameters:
    ///   - blocks: networks and single addresses that do not overlap, each with those within.
    ///   - place: where they go.
    ///   - parent: the real network that `place` stands for, nil for all there are. Its own address and its last one, which
    ///     is for broadcasts, keep their meaning.
    ///   - taken: addresses that are given to nobody.
    private mutating func place(
        _ blocks: [Block.Nested], in place: Block, standingFor parent: Block?, avoiding taken: Set<UInt128>
    ) {
        var room = Room(place, taken)
        var rest: [Block.Nested] = []
        for block in blocks {
            if let parent, block.block.first == parent.first {
                room.takeBeginning(block.block.size)
                give(Block(place.first, block.block), to: block, avoiding: taken)
            } else if let parent, block.block.last == parent.last {
                room.takeEnd(block.block.size)
                give(Block(place.last - (block.block.size - 1), block.block), to: block, avoiding: taken)
            } else {
                rest.append(block)
            }
        }
        if parent != nil { room.takeBeginning(1) }
        for block in rest.sorted(by: { $0.block < $1.block }) {
            // What has no room, since others were moved about, stays where it was in its network.
            let offset = parent.map { block.block.first - $0.first } ?? 0
            give(Block(room.take(block.block.size) ?? place.first + offset, block.block), to: block, avoiding: taken)
        }
    }

    private mutating func give(_ place: Block, to block: Block.Nested, avoiding taken: Set<UInt128>) {
        if block.block.length == block.block.bitWidth {
            pseudonyms[block.block.address] = place.address
        } else {
            self.place(block.inner, in: place, standingFor: block.block, avoiding: taken)
        }
    }
}

/// The addresses of a block that are still to be had.
private struct Room {
    private let first: UInt128
    private var next: UInt128
    private var last: UInt128
    /// What alignment left between larger blocks.
    private var gaps: [Range<UInt128>] = []
    private let taken: Set<UInt128>

    init(_ block: Block, _ taken: Set<UInt128>) {
        first = block.first
        next = block.first
        last = block.last
        self.taken = taken
    }

    mutating func takeBeginning(_ size: UInt128) { next = max(next, first + size) }

    mutating func takeEnd(_ size: UInt128) { last = last >= size ? last - size : 0 }

    /// The first address of a free range of this size, aligned to it; nil when there is none.
    mutating func take(_ size: UInt128) -> UInt128? {
        while size == 1, let gap = gaps.first {
            gaps[0] = (gap.lowerBound + 1)..<gap.upperBound
            if gaps[0].isEmpty { gaps.removeFirst() }
            if !taken.contains(gap.lowerBound) { return gap.lowerBound }
        }
        while true {
            let aligned = (next + (size - 1)) & ~(size - 1)
            guard aligned <= last, last - aligned >= size - 1 else { return nil }
            if aligned > next { gaps.append(next..<aligned) }
            next = aligned + size
            if !taken.contains(aligned) { return aligned }
        }
    }
}

/// A range of addresses with one prefix.
private struct Block: Hashable, Comparable {
    var first: UInt128
    var length: Int
    var bitWidth: Int

    init(_ address: IPAddress, length: Int) {
        first = address.bytes.reduce(0) { $0 << 8 | UInt128($1) }
        self.length = length
        bitWidth = address.bitWidth
    }

    /// A block of another one's size elsewhere.
    init(_ first: UInt128, _ other: Block) {
        self.first = first
        length = other.length
        bitWidth = other.bitWidth
    }

    /// How many addresses; never that of a whole family.
    var size: UInt128 { 1 << UInt128(bitWidth - length) }

    var last: UInt128 { first + (size - 1) }

    var address: IPAddress {
        bitWidth == 32
            ? .v4(UInt32(truncatingIfNeeded: first))
            : .v6(high: UInt64(truncatingIfNeeded: first >> 64), low: UInt64(truncatingIfNeeded: first))
    }

    func contains(_ other: Block) -> Bool { first <= other.first && other.last <= last }

    /// A block, and the ones within it.
    struct Nested {
        var block: Block
        var inner: [Nested] = []
    }

    /// Blocks as a tree: prefixes either lie within each other or apart.
    static func nested(_ blocks: some Sequence<Block>) -> [Nested] {
        var open: [Nested] = []
        var outermost: [Nested] = []
        func close(_ open: inout [Nested], _ outermost: inout [Nested]) {
            let closed = open.removeLast()
            if open.isEmpty { outermost.append(closed) } else { open[open.count - 1].inner.append(closed) }
        }
        for block in Set(blocks).sorted(by: { ($0.first, $0.length) < ($1.first, $1.length) }) {
            while let last = open.last, !last.block.contains(block) { close(&open, &outermost) }
            open.append(Nested(block: block))
        }
        while !open.isEmpty { close(&open, &outermost) }
        return outermost
    }

    /// The largest first, then by address.
    static func < (left: Block, right: Block) -> Bool {
        left.length != right.length ? left.length < right.length : left.first < right.first
    }
}

internal import Testing

@testable internal import VFIO

@Suite("A chain of capabilities")
struct InfoCapabilityTests {
    /// An answer with a fixed part of 32 bytes and these capabilities behind it.
    private func answer(_ capabilities: [UInt8]...) -> [UInt8] {
        [UInt8](repeating: 0xee, count: 32) + capabilities.joined()
    }

    private func chain(_ answer: [UInt8], from first: UInt32 = 32) throws -> [InfoCapability] {
        try InfoCapability.chain(in: answer, from: first, after: 32)
    }

    @Test("that does not begin is empty")
    func none() throws {
        #expect(try chain(answer(), from: 0) == [])
    }

    @Test("is followed in its own order, which need not be that of memory; unknown ones are kept")
    func order() throws {
        let answer = answer(capability(2, [1, 2]), capability(9, next: 32, [3, 4, 5, 6]))
        let found = try chain(answer, from: 42)
        #expect(
            found == [
                InfoCapability(id: 9, version: 1, content: [3, 4, 5, 6]),
                InfoCapability(id: 2, version: 1, content: [1, 2]),
            ])
    }

    @Test("is refused when it leaves the answer, points into the fixed part, or comes back to itself")
    func hostile() {
        let plain = answer(capability(1, next: 40), capability(2))
        #expect(throws: BrokenChain.self) { try chain(plain, from: 8) }
        #expect(throws: BrokenChain.self) { try chain(plain, from: 41) }
        #expect(throws: BrokenChain.self) { try chain(plain, from: .max) }
        #expect(throws: BrokenChain.self) { try chain(answer(capability(1, next: 32))) }
        #expect(throws: BrokenChain.self) { try chain(answer(capability(1, next: 40), capability(2, next: 32))) }
        #expect(throws: BrokenChain.self) { try chain(answer(capability(1, next: 36), capability(2))) }
        #expect(throws: BrokenChain.self) { try chain(answer(capability(1, next: 48), capability(2))) }
        #expect(throws: BrokenChain.self) { try chain(answer(capability(1, next: 16))) }
    }

    @Test("is refused when it is longer than any kernel makes one, instead of taking for ever")
    func long() {
        let capabilities = (0..<1_000).map { capability(5, next: UInt32(32 + ($0 + 1) * 8)) }
        #expect(throws: BrokenChain.self) { try chain(answer(capabilities.flatMap { $0 })) }
    }

    @Test("never makes the reader leave the answer, whatever its bytes are")
    func noise() {
        var generator = SplitMix(seed: 1)
        for _ in 0..<4_000 {
            let count = Int.random(in: 32...160, using: &generator)
            let bytes = (0..<count).map { _ in
                // Small numbers are offsets more often than large ones.
                Bool.random(using: &generator) ? UInt8.random(in: 0...160, using: &generator) & ~7 : 0
            }
            let found = try? InfoCapability.chain(in: bytes, from: bytes.load(at: 12), after: 32)
            for capability in found ?? [] { _ = try? capability.pairs() }
            _ = try? Region(answer: bytes)
        }
    }

    @Test("holds an array only as long as its capability is")
    func arrays() throws {
        let whole = InfoCapability(id: 1, version: 1, content: pairs([(1, 2), (3, 4)]))
        #expect(try whole.pairs().map { $0.0 + $0.1 } == [3, 7])
        let short = InfoCapability(id: 1, version: 1, content: pairs([(1, 2)], claiming: 2))
        #expect(throws: BrokenChain.self) { _ = try short.pairs() }
        let empty = InfoCapability(id: 1, version: 1, content: [1, 0, 0])
        #expect(throws: BrokenChain.self) { _ = try empty.pairs() }
    }
}

/// A small generator with a seed, so that a failure comes again.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}

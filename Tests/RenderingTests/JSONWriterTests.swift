import FoundationEssentials
import Rendering
import Testing

@Suite("JSON")
struct JSONWriterTests {
    /// A value with everything that an answer is made of.
    private struct Sample: Encodable {
        struct Member: Encodable {
            var name: String
            var count: Int
            var parent: Int?
            var flags: [String]
        }

        struct Nothing: Encodable {
            func encode(to encoder: any Encoder) {}
        }

        /// Encoded by hand, with containers inside containers, used by turns.
        struct ByHand: Encodable {
            enum Keys: String, CodingKey { case outer, list, null, after, base, zebra = "a\"b" }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Keys.self)
                try container.encode(1, forKey: .zebra)
                var nested = container.nestedContainer(keyedBy: Keys.self, forKey: .outer)
                try nested.encode("x", forKey: .null)
                var list = nested.nestedUnkeyedContainer(forKey: .list)
                try list.encode(1)
                try list.encodeNil()
                var inner = list.nestedUnkeyedContainer()
                try inner.encode(true)
                try list.encode(Member(name: "m", count: 1, parent: nil, flags: []))
                try container.encodeNil(forKey: .null)
                try container.encode("after", forKey: .after)
                try Member(name: "s", count: 2, parent: 3, flags: ["f"]).encode(
                    to: container.superEncoder(forKey: .base))
            }
        }

        /// Two values in one object.
        struct Joined: Encodable {
            struct More: Encodable {
                var links = ["l"]
                var bars = [0: "b"]
            }

            func encode(to encoder: any Encoder) throws {
                try Member(name: "first", count: 1, parent: 2, flags: ["f"]).encode(to: encoder)
                try More().encode(to: encoder)
            }
        }

        var vendor = "8086"
        var vendor_id = "\"\\/\u{8}\t\n\u{c}\r\u{1}\u{1f}\u{7f}é用\u{1f600}"
        var members = [
            Member(name: "b", count: -1, parent: 7, flags: ["x", ""]),
            Member(name: "", count: .min, parent: nil, flags: []),
        ]
        var table: [String: [String: Int]] = ["z": ["two": 2, "one": 1, "": 0], "a": [:]]
        var largest = UInt64.max
        var small: [Int8] = [.min, .max]
        var numbers: [Double] = [0, -1, 2.5, 8, 1e300, 0.1]
        var yes = true
        var nothing = Nothing()
        var nothings: [Nothing] = [Nothing()]
        var byHand = ByHand()
        var joined = [Joined(), Joined()]
        var empty: [String] = []
        var address: String? = nil
    }

    private func foundation(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private func ours(_ value: some Encodable) throws -> String {
        String(decoding: try JSONWriter.bytes(of: value), as: UTF8.self)
    }

    @Test("the same bytes as Foundation's encoder, for everything that an answer is made of")
    func sameAsFoundation() throws {
        #expect(try ours(Sample()) == foundation(Sample()))
        #expect(try ours(["b": 1, "a": 2]) == #"{"a":2,"b":1}"#)
        #expect(try ours([Int]()) == "[]")
        #expect(try ours("text") == #""text""#)
    }

    @Test("a number that JSON has not is an error", arguments: [Double.infinity, -.infinity, .nan])
    func noSuchNumber(number: Double) {
        #expect(throws: EncodingError.self) { try JSONWriter.bytes(of: [number]) }
    }
}

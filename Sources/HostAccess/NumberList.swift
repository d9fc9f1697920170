/// A set of small numbers as the kernel lists them: CPUs ("0-3,8"), NUMA nodes ("0,2").
public struct NumberList: Hashable, Sendable {
    /// The numbers, ascending, as ranges that neither touch nor overlap.
    public let ranges: [ClosedRange<Int>]

    /// The largest number that is accepted: far above any kernel's NR_CPUS, low enough that a mistyped list stays small.
    public static let limit = 1 << 20

    /// Makes a list of numbers.
    public init(_ numbers: some Sequence<Int>) {
        self.init(ranges: numbers.map { $0...$0 })
    }

    private init(ranges: [ClosedRange<Int>]) {
        var merged: [ClosedRange<Int>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound + 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
    }

    /// Whether no number is in it.
    public var isEmpty: Bool { ranges.isEmpty }

    /// Every number, ascending.
    public var numbers: [Int] { ranges.flatMap(Array.init) }

    /// Whether `number` is in it.
    public func contains(_ number: Int) -> Bool { ranges.contains { $0.contains(number) } }

    /// Whether every number of this list is in `other`.
    public func isSubset(of other: NumberList) -> Bool {
        ranges.allSatisfy { range in
            other.ranges.contains { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
        }
    }
}

extension NumberList: LosslessStringConvertible {
    /// Reads the kernel's list format; the empty text is the empty list. Nil for anything else: a reversed range, a
    /// number beyond `limit`, a stray character.
    public init?(_ description: String) {
        guard !description.isEmpty else {
            self.init(ranges: [])
            return
        }
        var ranges: [ClosedRange<Int>] = []
        for part in description.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count <= 2, let first = ends.first, let low = Self.number(first) else { return nil }
            guard let high = ends.count == 2 ? Self.number(ends[1]) : low, low <= high else { return nil }
            ranges.append(low...high)
        }
        self.init(ranges: ranges)
    }

    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }),
            let number = Int(text), number <= limit
        else { return nil }
        return number
    }

    /// The kernel's list format: `0-3,8`.
    public var description: String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }
}

extension NumberList: Codable {
    /// Reads the kernel's list format from a single string.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let list = NumberList(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is no list of numbers")
        }
        self = list
    }

    /// Writes the kernel's list format as a single string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

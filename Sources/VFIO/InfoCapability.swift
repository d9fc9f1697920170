internal import CLinux

/// One capability of an information answer (`struct vfio_info_cap_header`): what a region, a device or an IOMMU says
/// beyond its fixed fields.
public struct InfoCapability: Hashable, Sendable {
    /// Which one: unique within its kind of answer.
    public var id: UInt16
    /// The version of the content's layout.
    public var version: UInt16
    /// What follows the header, up to the next capability or the end of the answer.
    public var content: [UInt8]

    /// Makes a capability of its parts.
    public init(id: UInt16, version: UInt16, content: [UInt8]) {
        self.id = id
        self.version = version
        self.content = content
    }
}

/// A chain of capabilities that cannot be followed, and why.
struct BrokenChain: Error, Hashable {
    var reason: String

    init(_ reason: String) { self.reason = reason }
}

extension InfoCapability {
    /// Follows the chain in an answer.
    ///
    /// The offsets are the kernel's word, and are believed only as far as they stay inside the answer, behind its fixed
    /// part, and never return to where the chain has been.
    ///
    /// - Parameters:
    ///   - answer: the whole answer, fixed part included.
    ///   - first: the offset of the first capability from the answer's beginning; 0 for none.
    ///   - fixed: the length of the fixed part.
    static func chain(in answer: [UInt8], from first: UInt32, after fixed: Int) throws(BrokenChain) -> [InfoCapability]
    {
        let headerSize = MemoryLayout<vfio_info_cap_header>.size
        var starts: [Int] = []
        var next = Int(first)
        while next != 0 {
            guard starts.count < Self.longestChain else { throw BrokenChain("more than \(starts.count) capabilities") }
            guard next >= fixed, next <= answer.count - headerSize else {
                throw BrokenChain("a capability at offset \(next) of an answer of \(answer.count) bytes")
            }
            guard !starts.contains(where: { abs($0 - next) < headerSize }) else {
                throw BrokenChain("the chain of capabilities comes back to offset \(next)")
            }
            starts.append(next)
            next = Int(answer.load(UInt32.self, at: next + 4))
        }
        // No header says how long its content is: it ends where the next one in memory begins.
        let ends = starts.sorted().dropFirst() + [answer.count]
        let endOf = Dictionary(uniqueKeysWithValues: zip(starts.sorted(), ends))
        return starts.map { start in
            InfoCapability(
                id: answer.load(at: start), version: answer.load(at: start + 2),
                content: Array(answer[start + headerSize..<(endOf[start] ?? answer.count)]))
        }
    }

    /// The kernel knows some five capabilities of each kind of answer.
    private static let longestChain = 256

    /// The count and the records of a capability that holds an array: `__u32 count; __u32 reserved; record[]`, each
    /// record two 64-bit numbers.
    func pairs() throws(BrokenChain) -> [(UInt64, UInt64)] {
        guard content.count >= 8 else { throw BrokenChain("capability \(id) ends within its header") }
        let count = Int(content.load(UInt32.self, at: 0))
        guard count <= (content.count - 8) / 16 else {
            throw BrokenChain("capability \(id) claims \(count) records in \(content.count) bytes")
        }
        return (0..<count).map { index in
            (content.load(at: 8 + index * 16), content.load(at: 16 + index * 16))
        }
    }
}

/// JSON text that grows at its end, and the objects and arrays in it that are not closed yet.
///
/// A container of Swift's encoding does not say when it is done. It is when its value has been encoded, or when the container
/// around it is used again: whoever uses one names its depth, and what is open further in is closed.
struct JSONText {
    enum Container { case object, array }

    private struct Open {
        var container: Container
        /// Of an object: where in `memberStarts` its own begin.
        var firstMember: Int
    }

    var bytes: [UInt8] = []
    private var open: [Open] = []
    /// Where each member begins that open objects have so far: at its key, behind a comma.
    private var memberStarts: [Int] = []
    /// For putting members in order; kept for the next object.
    private var members: [Range<Int>] = []
    private var ordered: [UInt8] = []

    /// How many containers are open.
    var depth: Int { open.count }

    // MARK: containers

    /// Opens an object or an array where the text ends, and answers its depth.
    mutating func open(_ container: Container) -> Int {
        bytes.append(UInt8(ascii: container == .object ? "{" : "["))
        open.append(Open(container: container, firstMember: memberStarts.count))
        return open.count
    }

    /// Closes what is open further in than `depth`.
    mutating func close(to depth: Int) {
        while open.count > depth, let last = open.popLast() {
            if last.container == .object { putInOrder(from: last.firstMember) }
            bytes.append(UInt8(ascii: last.container == .object ? "}" : "]"))
        }
    }

    /// Begins a member of the open object at `depth`: its key. The value follows.
    mutating func beginMember(_ key: String, of depth: Int) {
        close(to: depth)
        if memberStarts.count > open[depth - 1].firstMember { bytes.append(UInt8(ascii: ",")) }
        memberStarts.append(bytes.count)
        append(quoted: key)
        bytes.append(UInt8(ascii: ":"))
    }

    /// Begins an element of the open array at `depth`.
    mutating func beginElement(of depth: Int, isFirst: Bool) {
        close(to: depth)
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
    }

    /// Sorts the members of the innermost object, of which the closing brace is still to come.
    private mutating func putInOrder(from first: Int) {
        defer { memberStarts.removeSubrange(first...) }
        guard first < memberStarts.count else { return }
        members.removeAll(keepingCapacity: true)
        var isOrdered = true
        for index in first..<memberStarts.count {
            let end = index + 1 < memberStarts.count ? memberStarts[index + 1] - 1 : bytes.count
            members.append(memberStarts[index]..<end)
            // Inserted where it belongs: most members come in order, or nearly.
            var place = members.count - 1
            while place > 0, precedes(members[place], members[place - 1]) {
                members.swapAt(place, place - 1)
                place -= 1
                isOrdered = false
            }
        }
        if isOrdered { return }
        ordered.removeAll(keepingCapacity: true)
        for member in members {
            if !ordered.isEmpty { ordered.append(UInt8(ascii: ",")) }
            ordered.append(contentsOf: bytes[member])
        }
        bytes.removeSubrange(memberStarts[first]...)
        bytes.append(contentsOf: ordered)
    }

    /// Whether one member's key comes before another's. The quote behind a key sorts before all that a key is made of, so
    /// a key comes before those that go on from it.
    private func precedes(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
        let text = bytes.span
        let (left, right) = (text.extracting(left), text.extracting(right))
        for index in 0..<min(left.count, right.count) where left[index] != right[index] {
            return left[index] < right[index]
        }
        return left.count < right.count
    }

    // MARK: values

    mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func append(number: UInt64) {
        if let small = Int(exactly: number) { bytes.append(decimal: small) } else { append(String(number)) }
    }

    mutating func append(number: Double) throws {
        guard number.isFinite else {
            throw EncodingError.invalidValue(number, .init(codingPath: [], debugDescription: "JSON has no \(number)"))
        }
        // A whole number is written as one, as Foundation does.
        if let whole = Int(exactly: number), abs(whole) < 1 << 53 {
            bytes.append(decimal: whole)
        } else {
            append(number.description)
        }
    }

    /// A string in quotes, escaped where RFC 8259 wants it.
    mutating func append(quoted text: String) {
        bytes.append(UInt8(ascii: "\""))
        if Self.isPlain(text.utf8.span) {
            bytes.append(contentsOf: text.utf8)
        } else {
            for byte in text.utf8 { append(escaped: byte) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func isPlain(_ letters: Span<UInt8>) -> Bool {
        for index in letters.indices {
            let byte = letters[index]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return false }
        }
        return true
    }

    private mutating func append(escaped byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case 0x08: append("\\b")
        case 0x09: append("\\t")
        case 0x0a: append("\\n")
        case 0x0c: append("\\f")
        case 0x0d: append("\\r")
        case 0x20...: bytes.append(byte)
        default:
            append(byte < 0x10 ? "\\u000" : "\\u001")
            let digit = byte & 0xf
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}

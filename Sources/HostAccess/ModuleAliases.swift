/// Which kernel modules say that they drive a device: the globs of `modules.alias`, which depmod(8) writes.
///
/// The live host asks libkmod, which reads the same in a binary form and knows modprobe.d; this is for a capture, and for
/// a machine without libkmod.
package struct ModuleAliases {
    /// The modules whose globs match, in the order of the file, each once.
    package let modules: [String]

    /// Looks through the file's lines: `alias pci:v00008086d000010C9sv*sd*bc*sc*i* igb`.
    package init(claiming alias: String, in file: [UInt8]) {
        let subject = Array(alias.utf8)
        let key = Array("alias ".utf8)
        var found: [String] = []
        var start = 0
        while start < file.count {
            let end = file[start...].firstIndex(of: UInt8(ascii: "\n")) ?? file.count
            let line = file[start..<end]
            start = end + 1
            guard line.starts(with: key), let space = line.lastIndex(of: UInt8(ascii: " ")) else { continue }
            let pattern = line.dropFirst(key.count).prefix(upTo: max(space, line.startIndex + key.count))
            guard Self.matches(Array(pattern), subject) else { continue }
            let module = String(decoding: line[(space + 1)...], as: UTF8.self)
            if !found.contains(module) { found.append(module) }
        }
        modules = found
    }

    /// Whether a glob matches all of `subject`: `*`, `?` and `[…]`, as fnmatch(3) has them. Steps are at most the product
    /// of both lengths, whatever the pattern.
    package static func matches(_ pattern: [UInt8], _ subject: [UInt8]) -> Bool {
        var place = 0
        var read = 0
        var star: (place: Int, read: Int)?
        while read < subject.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                star = (place, read)
                place += 1
            } else if let next = step(pattern, place, subject[read]) {
                place = next
                read += 1
            } else if let last = star {
                // The star takes one more, and the rest is tried again.
                star = (last.place, last.read + 1)
                place = last.place + 1
                read = last.read + 1
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// What comes after the part of the pattern at `place`, if that part takes `byte`.
    private static func step(_ pattern: [UInt8], _ place: Int, _ byte: UInt8) -> Int? {
        guard place < pattern.count else { return nil }
        switch pattern[place] {
        case UInt8(ascii: "?"): return place + 1
        case UInt8(ascii: "["):
            guard let end = pattern[(place + 1)...].firstIndex(of: UInt8(ascii: "]")) else {
                return byte == pattern[place] ? place + 1 : nil
            }
            return set(pattern[(place + 1)..<end], has: byte) ? end + 1 : nil
        default: return byte == pattern[place] ? place + 1 : nil
        }
    }

    /// Whether a set such as `0-9A-F` or `!0` has a byte.
    private static func set(_ set: ArraySlice<UInt8>, has byte: UInt8) -> Bool {
        let isNegated = set.first == UInt8(ascii: "!") || set.first == UInt8(ascii: "^")
        var rest = isNegated ? set.dropFirst() : set
        while let low = rest.popFirst() {
            var high = low
            if rest.count >= 2, rest.first == UInt8(ascii: "-") {
                high = rest[rest.startIndex + 1]
                rest = rest.dropFirst(2)
            }
            if low <= byte, byte <= high { return !isNegated }
        }
        return isNegated
    }
}

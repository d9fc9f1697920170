internal import HostAccess

/// The rules of udev(7), as far as they concern nodes' permissions and the attributes that VFIO and SR-IOV care about.
struct UdevRules {
    /// One `KEY{attribute}==value` of a rule.
    struct Term: Equatable {
        var key: String
        var attribute: String?
        var operation: String
        var value: String

        /// Whether it asks, rather than sets.
        var isMatch: Bool { operation == "==" || operation == "!=" }
    }

    struct Rule: Equatable {
        var terms: [Term]
        /// `/usr/lib/udev/rules.d/50-udev-default.rules:99`.
        var place: String
    }

    /// What the rules say about one node.
    struct Setting: Equatable {
        var mode: String?
        var owner: String?
        var group: String?
        /// The rule that said the last of it.
        var place: String
    }

    /// Every rule, in the order in which udev takes them.
    private(set) var rules: [Rule] = []
    /// Directories and files that this user may not look at.
    private(set) var forbidden: [String] = []

    private static let directories = [
        "/etc/udev/rules.d", "/run/udev/rules.d", "/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d",
        "/lib/udev/rules.d",
    ]

    init(on files: HostFiles) {
        // A file hides those of the same name in later directories; all together go by their names.
        var chosen: [String: String] = [:]
        for directory in Self.directories {
            let listing = files.listing(directory)
            if listing.isForbidden { forbidden.append(directory) }
            for name in listing.content ?? [] where name.hasSuffix(".rules") && chosen[name] == nil {
                chosen[name] = "\(directory)/\(name)"
            }
        }
        for (_, path) in chosen.sorted(by: { $0.key < $1.key }) {
            let text = files.text(path)
            if text.isForbidden { forbidden.append(path) }
            rules += Self.parse(text.content ?? "", from: path)
        }
    }

    static func parse(_ text: String, from path: String) -> [Rule] {
        joinedLines(text).compactMap { number, line in
            terms(of: line).map { Rule(terms: $0, place: "\(path):\(number)") }
        }
    }

    // MARK: a rule's text

    /// The terms of a line; nil when it is spelt wrong, as udev itself leaves such a line out.
    private static func terms(of line: String) -> [Term]? {
        var rest = Array(line.utf8)[...]
        var terms: [Term] = []
        while true {
            rest = rest.drop { $0 <= 0x20 || $0 == UInt8(ascii: ",") }
            if rest.isEmpty { return terms.isEmpty ? nil : terms }
            guard let term = term(from: &rest) else { return nil }
            terms.append(term)
        }
    }

    private static func term(from rest: inout ArraySlice<UInt8>) -> Term? {
        let key = rest.prefix { isUppercase($0) || $0 == UInt8(ascii: "_") }
        rest = rest.dropFirst(key.count)
        var attribute: String?
        if rest.first == UInt8(ascii: "{") {
            let name = rest.dropFirst().prefix { $0 != UInt8(ascii: "}") }
            attribute = String(decoding: name, as: UTF8.self)
            rest = rest.dropFirst(name.count + 2)
        }
        rest = rest.drop { $0 <= 0x20 }
        let operations = ["==", "!=", "+=", "-=", ":=", "="]
        guard !key.isEmpty, let operation = operations.first(where: { rest.starts(with: $0.utf8) }) else { return nil }
        rest = rest.dropFirst(operation.utf8.count).drop { $0 <= 0x20 }
        // e"…" has escapes, i"…" ignores case.
        if let first = rest.first, first == UInt8(ascii: "e") || first == UInt8(ascii: "i") { rest = rest.dropFirst() }
        guard rest.first == UInt8(ascii: "\"") else { return nil }
        rest = rest.dropFirst()
        var value: [UInt8] = []
        while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
            if byte == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "\"") {
                value.append(UInt8(ascii: "\""))
                rest = rest.dropFirst()
            } else {
                value.append(byte)
            }
        }
        return Term(
            key: String(decoding: key, as: UTF8.self), attribute: attribute, operation: operation,
            value: String(decoding: value, as: UTF8.self))
    }

    private static func isUppercase(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") }

    // MARK: what they say

    /// What the rules set for a new node: those that ask for nothing but its kernel name and its subsystem. A rule that asks
    /// for more cannot be judged from outside, and is left out.
    func setting(kernelName: String, subsystem: String) -> Setting? {
        var setting: Setting?
        var final: Set<String> = []
        for rule in rules where rule.terms.contains(where: { !$0.isMatch && Self.settable.contains($0.key) }) {
            let applies = rule.terms.filter(\.isMatch).allSatisfy { term in
                switch term.key {
                case "KERNEL", "KERNELS": Self.matches(kernelName, term)
                case "SUBSYSTEM", "SUBSYSTEMS": Self.matches(subsystem, term)
                case "ACTION": Self.matches("add", term)
                default: false
                }
            }
            // A rule that names neither is about every device, and no rule about these nodes.
            guard applies, rule.terms.contains(where: { ["KERNEL", "SUBSYSTEM"].contains($0.key) }) else { continue }
            for term in rule.terms where !term.isMatch && Self.settable.contains(term.key) {
                guard !final.contains(term.key) else { continue }
                if term.operation == ":=" { final.insert(term.key) }
                var changed = setting ?? Setting(place: rule.place)
                switch term.key {
                case "MODE": changed.mode = term.value
                case "OWNER": changed.owner = term.value
                default: changed.group = term.value
                }
                changed.place = rule.place
                setting = changed
            }
        }
        return setting
    }

    private static let settable: Set<String> = ["MODE", "OWNER", "GROUP"]

    private static func matches(_ text: String, _ term: Term) -> Bool {
        let found = term.value.split(separator: "|", omittingEmptySubsequences: false).contains {
            shellPattern($0, matches: text)
        }
        return found == (term.operation == "==")
    }

    /// The rules that write an attribute, or run something that names it: `sriov_numvfs`, `driver_override`.
    func writing(_ attribute: String) -> [Rule] {
        rules.filter { rule in
            rule.terms.contains { term in
                guard !term.isMatch else { return false }
                if term.key == "ATTR" || term.key == "SYSCTL" {
                    return term.attribute?.split(separator: "/").last.map(String.init) == attribute
                }
                return term.key == "RUN" && term.value.contains(attribute)
            }
        }
    }
}

/// fnmatch(3) with "*", "?" and "[…]", as udev compares names. Linear in both but for the brackets: only the last "*" is
/// ever tried again.
func shellPattern(_ pattern: some StringProtocol, matches text: some StringProtocol) -> Bool {
    let pattern = Array(pattern.utf8)
    let text = Array(text.utf8)
    var position = 0
    var index = 0
    var star: (pattern: Int, text: Int)?
    while position < text.count {
        if index < pattern.count, pattern[index] == UInt8(ascii: "*") {
            star = (index, position)
            index += 1
        } else if let next = matchOne(pattern, index, text[position]) {
            index = next
            position += 1
        } else if let last = star {
            star = (last.pattern, last.text + 1)
            index = last.pattern + 1
            position = last.text + 1
        } else {
            return false
        }
    }
    return pattern[index...].allSatisfy { $0 == UInt8(ascii: "*") }
}

/// Where the pattern goes on when its element at `index` takes `byte`; nil when it does not.
private func matchOne(_ pattern: [UInt8], _ index: Int, _ byte: UInt8) -> Int? {
    guard index < pattern.count else { return nil }
    if pattern[index] == UInt8(ascii: "?") { return index + 1 }
    guard pattern[index] == UInt8(ascii: "["),
        let end = pattern[(index + 1)...].dropFirst().firstIndex(of: UInt8(ascii: "]"))
    else { return pattern[index] == byte ? index + 1 : nil }
    var set = pattern[(index + 1)..<end]
    let isNegated = set.first == UInt8(ascii: "!") || set.first == UInt8(ascii: "^")
    if isNegated { set = set.dropFirst() }
    var found = false
    while let low = set.popFirst() {
        if set.count >= 2, set.first == UInt8(ascii: "-"), let high = set.dropFirst().first {
            found = found || low <= byte && byte <= high
            set = set.dropFirst(2)
        } else {
            found = found || low == byte
        }
    }
    return found != isNegated ? end + 1 : nil
}

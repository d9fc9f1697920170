internal import HostAccess

/// What modprobe.d(5) says of modules: options, install commands, blacklists; and the kernel's command line, which has
/// options too.
struct ModprobeSettings {
    /// One line.
    struct Line: Equatable {
        /// `options`, `install`, `blacklist`.
        var command: String
        /// The module, as the kernel spells it.
        var module: String
        /// The rest: `ids=10de:1b80`, `/bin/false`.
        var arguments: [String]
        /// `/etc/modprobe.d/vfio.conf:3`.
        var place: String
    }

    private(set) var lines: [Line] = []

    init(on files: HostFiles) {
        // A file hides those of the same name in later directories.
        var seen: Set<String> = []
        for directory in ["/etc/modprobe.d", "/run/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"] {
            for name in files.names(in: directory) where name.hasSuffix(".conf") && seen.insert(name).inserted {
                guard let text = files.text("\(directory)/\(name)").content else { continue }
                lines += Self.parse(text, from: "\(directory)/\(name)")
            }
        }
        for word in files.commandLine {
            // `vfio-pci.ids=10de:1b80`.
            guard let dot = word.firstIndex(of: "."), word.contains("=") else { continue }
            let module = word[..<dot].underscored
            guard !module.isEmpty, !module.contains("=") else { continue }
            lines.append(
                Line(
                    command: "options", module: module, arguments: [String(word[word.index(after: dot)...])],
                    place: "/proc/cmdline"))
        }
    }

    static func parse(_ text: String, from path: String) -> [Line] {
        joinedLines(text).compactMap { number, line in
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.count >= 2, ["options", "install", "blacklist"].contains(words[0]) else { return nil }
            return Line(
                command: words[0], module: words[1].underscored, arguments: Array(words.dropFirst(2)),
                place: "\(path):\(number)")
        }
    }

    /// The value that an option of a module is given, and where; the last one counts.
    func option(_ name: String, of module: String) -> (value: String, place: String)? {
        for line in lines.reversed() where line.command == "options" && line.module == module.underscored {
            for argument in line.arguments.reversed() {
                let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if parts[0].underscored == name.underscored {
                    return (parts.count == 2 ? String(parts[1]) : "", line.place)
                }
            }
        }
        return nil
    }

    /// The command that stands in a module's place, where one keeps it from being loaded: `/bin/false`, `/bin/true`.
    func prevention(of module: String) -> Line? {
        lines.first {
            $0.command == "install" && $0.module == module.underscored
                && ["false", "true", ":"].contains($0.arguments.first?.split(separator: "/").last ?? "")
        }
    }
}

/// The lines of a file of settings without comments and empty ones, those that a backslash carries on joined; each with the
/// number of its first line.
func joinedLines(_ text: String) -> [(number: Int, text: String)] {
    var lines: [(number: Int, text: String)] = []
    var open: (number: Int, text: String)?
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        var line = Substring(trimmed(Array(line.utf8)))
        if open == nil, line.isEmpty || line.hasPrefix("#") { continue }
        let goesOn = line.hasSuffix("\\")
        if goesOn { line = line.dropLast() }
        var whole = open ?? (index + 1, "")
        whole.text += line
        open = whole
        if !goesOn {
            lines.append(whole)
            open = nil
        }
    }
    if let open { lines.append(open) }
    return lines
}

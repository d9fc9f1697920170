internal import ArgumentParser
internal import Glibc
internal import Host
internal import HostAccess
internal import HostSimulator
internal import LiveHost

/// The options that every command takes, before or after its name: the host that is meant, how to answer, and how wide
/// text may be.
@dynamicMemberLookup
struct GlobalOptions: ParsableArguments {
    @OptionGroup var answer: AnswerOptions

    @Option(
        help: ArgumentHelp(
            "Fit text into this many columns (default: the terminal's, and no limit in a pipe).", valueName: "columns"))
    var width: LineWidth?

    /// The most columns that a line may have; nil for no limit.
    var lineWidth: Int? { (width ?? .ofTerminal)?.columns }

    /// Each of the other options.
    subscript<Value>(dynamicMember option: KeyPath<AnswerOptions, Value>) -> Value { answer[keyPath: option] }

    /// The host to read, and what it looks like now.
    func observe(_ parts: HostSnapshot.Parts = .all) throws -> (host: any HostAccess, snapshot: HostSnapshot) {
        try answer.observe(parts)
    }

    /// The host to read.
    func host() throws -> any HostAccess { try answer.host() }

    /// The host to change.
    func changeableHost() throws -> any HostAccess { try answer.changeableHost() }
}

/// The global options without --width: `read` and `write` have one of their own, the register's.
struct AnswerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Look at the captured host in DIR; changes run against a simulated kernel.", valueName: "dir"))
    var root: String?

    @Flag(help: "Print one JSON object instead of text.")
    var json = false

    @Flag(help: "Say on standard error what is being done.")
    var verbose = false

    @Flag(name: .customLong("no-color"), help: "Never colour the output, also on a terminal.")
    var noColor = false

    /// The host to read, and what it looks like now.
    func observe(_ parts: HostSnapshot.Parts = .all) throws -> (host: any HostAccess, snapshot: HostSnapshot) {
        let host = try host()
        do {
            let snapshot = try HostSnapshot.read(from: host, parts: parts)
            if verbose { for note in snapshot.notes { Output.note("vfioctl: \(note)") } }
            return (host, snapshot)
        } catch {
            throw CommandFailure(error)
        }
    }

    /// The host to read.
    func host() throws -> any HostAccess {
        guard let root else { return LiveHost() }
        return try capture(root)
    }

    /// The host to change: with `--root`, the simulated kernel loaded from the capture.
    func changeableHost() throws -> any HostAccess {
        guard let root else { return LiveHost() }
        let capture = try capture(root)
        do {
            return try SimulatedHost(loading: capture)
        } catch {
            throw CommandFailure(.refused, "the capture \(root) cannot be loaded: \(error)")
        }
    }

    private func capture(_ root: String) throws -> CapturedDirectory {
        do {
            return try CapturedDirectory(root)
        } catch {
            throw CommandFailure(.noSuchThing, "--root \(root) is no readable directory: \(error)")
        }
    }

    /// Whether tables may be coloured: on a terminal, without NO_COLOR and --no-color.
    var colours: Bool {
        guard !noColor, isatty(STDOUT_FILENO) == 1, unsafe getenv("NO_COLOR") == nil else { return false }
        guard let terminal = unsafe getenv("TERM") else { return false }
        return unsafe String(cString: terminal) != "dumb"
    }
}

extension GlobalOptions {
    /// Moves global options that stand before the command to behind it, where the command's own parser looks for them.
    static func gathered(from arguments: [String], root: any ParsableCommand.Type) -> [String] {
        var early: [String] = []
        var width: [String] = []
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            if ["--json", "--verbose", "--no-color"].contains(argument) || argument.hasPrefix("--root=") {
                early.append(argument)
            } else if argument == "--root", index + 1 < arguments.count {
                early += [argument, arguments[index + 1]]
                index += 1
            } else if argument.hasPrefix("--width=") {
                width = ["--width", String(argument.dropFirst("--width=".count))]
            } else if argument == "--width", index + 1 < arguments.count {
                width = [argument, arguments[index + 1]]
                index += 1
            } else {
                break
            }
            index += 1
        }
        var rest = arguments[index...]
        var names: [String] = []
        var level = root
        while let name = rest.first,
            let next = level.configuration.subcommands.first(where: { $0.configuration.commandName == name })
        {
            names.append(name)
            rest.removeFirst()
            level = next
        }
        guard !names.isEmpty else { return arguments }
        // Behind these two it would be the register's. What they print has no use for another, but a wrong one is told.
        let isOfRegister = level == Read.self || level == Write.self
        if isOfRegister, width.last.flatMap(LineWidth.init) != nil { width = [] }
        return names + early + width + rest
    }
}

internal import ArgumentParser
internal import Glibc
internal import LinuxIO

/// How many columns a line of text may have: the value of --width.
struct LineWidth: ExpressibleByArgument {
    var columns: Int

    /// A number from 1: nothing else is a width.
    init?(argument: String) {
        guard let columns = Int(argument), columns > 0 else { return nil }
        self.columns = columns
    }

    private init(columns: Int) { self.columns = columns }

    /// The width of the terminal that standard output is: COLUMNS where somebody set it, as ls(1) takes it, or the kernel's
    /// own number. Nil when standard output is no terminal: what is piped has no width.
    static var ofTerminal: LineWidth? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        if let columns = unsafe getenv("COLUMNS"), let width = unsafe LineWidth(argument: String(cString: columns)) {
            return width
        }
        return terminalColumns(of: STDOUT_FILENO).map { LineWidth(columns: $0) }
    }
}

internal import Changes
internal import Glibc

/// What a change is at: one line that is rewritten on a terminal, a line a step with `--verbose`, nothing else.
struct ProgressLine: Sendable {
    private let verbose: Bool
    private let onTerminal: Bool

    init(verbose: Bool) {
        self.verbose = verbose
        onTerminal = isatty(STDERR_FILENO) == 1
    }

    func show(_ progress: Progress) {
        switch progress {
        case .began(let step, let index, let count):
            let line = "[\(index + 1)/\(count)] \(step.action) \(step.device ?? "")"
            if verbose { Output.note(line) } else { rewrite(line) }
        case .waiting(let step, let unmet, let all):
            rewrite("\(step.action) \(step.device ?? ""): \(all - unmet) of \(all) there")
        case .undoing(let step):
            let line = "undoing \(step.action) \(step.device ?? "")"
            if verbose { Output.note(line) } else { rewrite(line) }
        case .made:
            break
        }
    }

    /// What a command that only reads is at.
    func show(_ line: String) {
        if verbose { Output.note(line) } else { rewrite(line) }
    }

    func clear() { rewrite("") }

    private func rewrite(_ line: String) {
        if onTerminal { Output.draw("\r\u{1b}[K" + line) }
    }
}

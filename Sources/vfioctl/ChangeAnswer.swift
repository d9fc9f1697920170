internal import Changes
internal import Glibc

/// What every changing command says in the end, to a person or as JSON.
struct ChangeAnswer {
    /// The command's name in the schema: `bind`, `sriov_create`.
    var name: String
    var global: GlobalOptions

    /// Prints what became of a plan, and ends the process with the contract's status unless it is 0.
    func say(_ plan: Plan, _ result: ChangeResult) throws {
        if global.json {
            try Output.print(json: ChangeReport(command: name, plan: plan, result: result))
        } else if [.planned, .done, .unchanged].contains(result.outcome) {
            for warning in plan.warnings { Output.note("warning: \(warning)") }
            Output.print(text(plan, result))
        }
        let status: ExitStatus =
            switch result.outcome {
            case .planned, .done, .unchanged: .done
            case .refused: .refused
            case .rolledBack: result.notPermitted ? .notPermitted : .rolledBack
            case .incomplete: .incomplete
            }
        guard status != .done else { return }
        let sentence = result.error ?? "the change was not made"
        if global.json { exit(status.rawValue) }
        throw CommandFailure(status, sentence)
    }

    /// One line an operation, the way it could be typed; then what became of them.
    private func text(_ plan: Plan, _ result: ChangeResult) -> String {
        var lines = plan.steps.map(ChangeReport.StepReport.init).flatMap { step in
            step.operations.map { "  \(step.action)  \($0.value.isEmpty ? "(none)" : $0.value) > \($0.target)" }
        }
        switch result.outcome {
        case .planned: lines.append("planned, nothing changed: \(plan.steps.count) steps")
        case .done: lines.append("done: \(plan.steps.count) steps, each verified")
        case .unchanged: lines = ["unchanged: it is so already"]
        case .refused, .rolledBack, .incomplete: return ""
        }
        lines += result.pending.map { "pending: \($0)" }
        return lines.map { $0 + "\n" }.joined()
    }
}

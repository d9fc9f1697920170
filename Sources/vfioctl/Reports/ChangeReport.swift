internal import Changes

/// The contract's answer of every changing command, `--dry-run` or not.
struct ChangeReport: Encodable {
    struct Steps: Encodable {
        var steps: [StepReport]
    }

    struct StepReport: Encodable {
        var action: String
        @Nullable var device: String?
        var operations: [Operation]
    }

    var schema: String
    var plan: Steps
    var outcome: ChangeResult.Outcome
    var refusals: [Refusal]
    @Nullable var error: String?
    var warnings: [String]
    var pending: [String]

    init(command: String, plan: Plan, result: ChangeResult) {
        schema = "vfioctl.\(command)/1"
        self.plan = Steps(steps: plan.steps.map(StepReport.init))
        outcome = result.outcome
        refusals = plan.refusals
        error = result.error
        warnings = plan.warnings
        pending = result.pending
    }
}

extension ChangeReport.StepReport {
    /// Targets are shown as the full path that is written to.
    init(_ step: Step) {
        action = step.action
        device = step.device
        operations = step.operations.map { operation in
            let isRelative = operation.kind == .write && !operation.target.hasPrefix("/")
            return Operation(
                operation.kind, isRelative ? step.directory + "/" + operation.target : operation.target, operation.value
            )
        }
    }
}

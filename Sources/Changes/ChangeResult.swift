/// What became of a plan.
public struct ChangeResult: Hashable, Sendable {
    /// How it ended; the words are part of the command contract.
    public enum Outcome: String, Hashable, Sendable, Codable {
        /// Only shown.
        case planned
        /// Every step was made and verified.
        case done
        /// Nothing was to be done.
        case unchanged
        /// Something stands in the way; nothing was changed.
        case refused
        /// A step failed, and all of it was undone.
        case rolledBack = "rolled_back"
        /// A step failed and undoing did not finish, or a write is still pending: the journal says what is left.
        case incomplete
    }

    /// How it ended.
    public var outcome: Outcome
    /// What went wrong, in a sentence for a person.
    public var error: String?
    /// Goals that were not to be seen yet when the plan ended.
    public var pending: [String]
    /// Whether the first error was a lack of privileges: EACCES, or EPERM where that means no more than it says.
    public var notPermitted: Bool

    /// Makes a result.
    public init(_ outcome: Outcome, error: String? = nil, pending: [String] = [], notPermitted: Bool = false) {
        self.outcome = outcome
        self.error = error
        self.pending = pending
        self.notPermitted = notPermitted
    }
}

/// What `PlanRunner` tells while it works.
public enum Progress: Hashable, Sendable {
    /// A step begins: its number from 0, of how many.
    case began(Step, index: Int, count: Int)
    /// A step's operations are made, and these of its goals are still waited for.
    case waiting(Step, unmet: Int, of: Int)
    /// A step is made and verified.
    case made(Step)
    /// A step is being undone.
    case undoing(Step)
}

/// Everything that one command does to a host, before it is done: printable, encodable, comparable, run by `PlanRunner`.
public struct Plan: Hashable, Sendable, Codable {
    /// What is done, in order.
    public var steps: [Step]
    /// Who stands in the way, each with evidence. A plan with refusals is not run.
    public var refusals: [Refusal]
    /// What forbids the plan whoever uses the device: "the group would not be viable". Not to be overridden.
    public var obstacles: [String]
    /// What the user should know although nothing stands in the way: "eth0 loses its link for a moment".
    public var warnings: [String]
    /// The state before the first change, by key, to be remembered before the first operation.
    public var origins: [Origin]
    /// Keys whose remembered state is given back by this plan, and forgotten once it is done.
    public var forgets: [String]

    /// Makes a plan.
    public init(
        steps: [Step] = [], refusals: [Refusal] = [], obstacles: [String] = [], warnings: [String] = [],
        origins: [Origin] = [], forgets: [String] = []
    ) {
        self.steps = steps
        self.refusals = refusals
        self.obstacles = obstacles
        self.warnings = warnings
        self.origins = origins
        self.forgets = forgets
    }

    /// Whether something stands in the way.
    public var isRefused: Bool { !refusals.isEmpty || !obstacles.isEmpty }

    /// What stands in the way, in a sentence for a person; nil when nothing does.
    public var refusalSentence: String? {
        guard isRefused else { return nil }
        let sentences = obstacles + refusals.map { "\($0.device) is in use (\($0.by)): \($0.detail)" }
        return sentences.joined(separator: "; ")
    }

    /// Puts the steps of `other` after these, and joins the rest.
    public mutating func append(_ other: Plan) {
        steps += other.steps
        refusals += other.refusals
        obstacles += other.obstacles
        warnings += other.warnings
        origins += other.origins
        forgets += other.forgets
    }
}

/// One user of a device that stands in the way of a plan.
public struct Refusal: Hashable, Sendable, Codable {
    /// The device, by full address.
    public var device: String
    /// What kind of user: a word of the command contract (`mount`, `route`, `vfio`, …).
    public var by: String
    /// The evidence.
    public var detail: String

    /// Makes a refusal.
    public init(device: String, by: String, detail: String) {
        self.device = device
        self.by = by
        self.detail = detail
    }
}

/// What something was before it was first changed.
public struct Origin: Hashable, Sendable, Codable {
    /// What it is about: a device's full address. Also the name of the file that keeps it.
    public var key: String
    /// What tells the same device from another at the same address.
    public var identity: String
    /// The state, by attribute.
    public var values: [String: String]

    /// Whether these values are the host's own doing, and count whatever was remembered earlier.
    public var isPristine: Bool

    /// Makes a record.
    public init(key: String, identity: String, values: [String: String], isPristine: Bool = false) {
        self.isPristine = isPristine
        self.key = key
        self.identity = identity
        self.values = values
    }
}

/// One thing done to a host, as data: what must still be so, what is done, what must be so after, and how it is undone.
public struct Step: Hashable, Sendable, Codable {
    /// What it is, for people and programs: `unbind`, `set-driver-override`.
    public var action: String
    /// The device it is about, by full address; nil for a step about the host itself.
    public var device: String?
    /// The directory that every path of this step is relative to, opened once when the step's turn comes.
    public var directory: String
    /// What is so for this very device and no other: checked before the first operation, and again before it is undone.
    public var identity: [Condition]
    /// What must be so right before the first operation.
    public var guards: [Condition]
    /// What is done, in order.
    public var operations: [Operation]
    /// What must be so within `settleSeconds` after: a step that "succeeded" but did not take effect is a failure.
    public var goals: [Condition]
    /// What may come true only later (an affinity that shows at the next interrupt): reported as pending, no failure.
    public var late: [Condition]
    /// What gives the state before the step back.
    public var undo: [Operation]
    /// What is so when the step is undone; when it is so already, nothing needs undoing.
    public var undone: [Condition]
    /// What EPERM says about an operation of this step, where that is not a lack of privileges; nil where it is.
    public var meaningOfEPERM: String?
    /// How long one operation may take, in seconds, before it counts as pending.
    public var timeLimitSeconds: Int
    /// How long the goals are waited for after the operations, in seconds.
    public var settleSeconds: Int

    /// Makes a step.
    public init(
        action: String, device: String?, directory: String, identity: [Condition] = [], guards: [Condition] = [],
        operations: [Operation],
        goals: [Condition], late: [Condition] = [], undo: [Operation] = [], undone: [Condition] = [],
        meaningOfEPERM: String? = nil,
        timeLimitSeconds: Int = 30, settleSeconds: Int = 10
    ) {
        self.action = action
        self.device = device
        self.directory = directory
        self.identity = identity
        self.guards = guards
        self.operations = operations
        self.goals = goals
        self.late = late
        self.undo = undo
        self.undone = undone
        self.meaningOfEPERM = meaningOfEPERM
        self.timeLimitSeconds = timeLimitSeconds
        self.settleSeconds = settleSeconds
    }
}

/// The smallest thing that is asked of a host to change it.
public struct Operation: Hashable, Sendable, Codable {
    /// How it is asked; the words are part of the command contract.
    public enum Kind: String, Hashable, Sendable, Codable {
        case write, netlink, devlink, module, socket, ioctl
    }

    /// How it is asked.
    public var kind: Kind
    /// A path relative to the step's directory, a module's name, a socket's path.
    public var target: String
    /// What is written or asked. Empty stands for a lone newline, which is how sysfs clears a text attribute.
    public var value: String

    /// Makes an operation.
    public init(_ kind: Kind, _ target: String, _ value: String) {
        self.kind = kind
        self.target = target
        self.value = value
    }

    /// Writes `value` to the file at `path`.
    public static func write(_ value: String, to path: String) -> Operation { Operation(.write, path, value) }

    /// Loads a kernel module.
    public static func module(_ name: String) -> Operation { Operation(.module, name, "load") }
}

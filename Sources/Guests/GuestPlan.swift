public import Changes
public import PCI

/// What is asked of a guest's monitor, in order: made by `AttachRequest` and `DetachRequest`, run by `GuestRunner`.
public struct GuestPlan: Hashable, Sendable {
    /// One thing done to the guest, whole or not at all.
    public struct Step: Hashable, Sendable {
        /// What it is, for people and programs: `add-iommufd`, `plug`, `unplug`, `remove-iommufd`.
        public var action: String
        /// The commands, in order.
        public var operations: [Operation]
        /// What gives the state before the step back.
        public var undo: [QMPCommand]
        /// What must be so after it: a step that "succeeded" but did not take effect is a failure.
        public var goal: Goal

        /// Makes a step.
        public init(action: String, operations: [Operation], undo: [QMPCommand] = [], goal: Goal) {
            self.action = action
            self.operations = operations
            self.undo = undo
            self.goal = goal
        }
    }

    /// One command, and the descriptor that travels with it.
    public struct Operation: Hashable, Sendable {
        /// The command.
        public var command: QMPCommand
        /// What is sent along, under the name that `getfd` gives it.
        public var passing: Passed?

        /// Makes an operation.
        public init(_ command: QMPCommand, passing: Passed? = nil) {
            self.command = command
            self.passing = passing
        }
    }

    /// A descriptor that is handed to the guest's VMM.
    public enum Passed: Hashable, Sendable {
        /// Of /dev/iommu.
        case iommufd
        /// Of the device's own node.
        case device
    }

    /// What a step brings about in the guest.
    public enum Goal: Hashable, Sendable {
        /// An object of that id is there.
        case object(String)
        /// No object of that id is there.
        case noObject(String)
        /// A device of that id is there.
        case device(String)
        /// The guest has let go of a device of that id, and QEMU says so (DEVICE_DELETED).
        case noDevice(String)
    }

    /// The device that is handed over or taken back.
    public var address: PCIAddress
    /// The monitor's socket.
    public var socket: String
    /// What is done.
    public var steps: [Step]
    /// Who stands in the way. A plan with refusals is not run.
    public var refusals: [Refusal]
    /// What forbids the plan.
    public var obstacles: [String]

    /// Makes a plan.
    public init(
        address: PCIAddress, socket: String, steps: [Step] = [], refusals: [Refusal] = [], obstacles: [String] = []
    ) {
        self.address = address
        self.socket = socket
        self.steps = steps
        self.refusals = refusals
        self.obstacles = obstacles
    }

    /// The plan as every changing command shows its own: each command of the monitor is one operation on its socket.
    public var shown: Plan {
        let steps = steps.map { step in
            Changes.Step(
                action: step.action, device: address.description, directory: "/",
                operations: step.operations.map { Changes.Operation(.socket, socket, $0.command.text) }, goals: [])
        }
        return Plan(steps: steps, refusals: refusals, obstacles: obstacles)
    }
}

public import Changes
public import LinuxIO
public import VFIO

/// Runs a plan in a guest as one transaction: each command answered, each step verified, everything before a failure
/// undone.
///
/// What cannot be taken back is said instead: a command that was never answered may still be obeyed, and a guest that
/// was asked to let go of a device may do so later.
public struct GuestRunner: Sendable {
    /// The longest wait for one step's command, and for its goal. QEMU pins all of the guest's memory while it plugs a
    /// device in, and a guest may take its time to let go of one.
    public var timeLimit: Duration
    /// Whether the guest's VMM still has the device's node open; nil when that cannot be seen. QEMU reports a device
    /// deleted a moment before it closes it.
    public var isHeld: @Sendable () -> Bool?
    /// Lets a short time pass while something that has no event of its own is awaited.
    public var pause: @Sendable (Duration) -> Void

    /// Makes a runner.
    public init(
        timeLimit: Duration, isHeld: @escaping @Sendable () -> Bool? = { nil },
        pause: @escaping @Sendable (Duration) -> Void
    ) {
        self.timeLimit = timeLimit
        self.isHeld = isHeld
        self.pause = pause
    }

    /// Runs a plan that hands over a device.
    ///
    /// - Parameters:
    ///   - iommufd: /dev/iommu, opened afresh.
    ///   - device: the device's node, opened for reading and writing and not yet bound.
    public func run(
        _ plan: GuestPlan, on monitor: inout QMPConnection, iommufd: borrowing OwnedDescriptor,
        device: borrowing OwnedDescriptor
    ) -> ChangeResult {
        run(plan, on: &monitor, descriptors: [.iommufd: iommufd.rawValue, .device: device.rawValue])
    }

    /// The same for what was opened to be handed off, of one device and unbound.
    public func run(
        _ plan: GuestPlan, on monitor: inout QMPConnection, handing opened: borrowing DeviceDescriptors
    ) -> ChangeResult {
        var descriptors: [GuestPlan.Passed: CInt] = [:]
        descriptors[.iommufd] = opened.iommufd
        descriptors[.device] = opened.deviceDescriptors.first
        return run(plan, on: &monitor, descriptors: descriptors)
    }

    /// Runs a plan that hands nothing over.
    public func run(_ plan: GuestPlan, on monitor: inout QMPConnection) -> ChangeResult {
        run(plan, on: &monitor, descriptors: [:])
    }

    private func run(
        _ plan: GuestPlan, on monitor: inout QMPConnection, descriptors: [GuestPlan.Passed: CInt]
    ) -> ChangeResult {
        if let result = plan.resultWithoutRunning { return result }
        var attempts: [Attempt] = []
        for step in plan.steps {
            attempts.append(Attempt(step: step))
            do throws(Failure) {
                try make(&attempts[attempts.count - 1], on: &monitor, descriptors: descriptors)
            } catch {
                return settle(
                    Failure("\(step.action) of \(plan.address) failed: \(error.sentence)", error.state), attempts,
                    on: &monitor)
            }
        }
        return ChangeResult(.done)
    }

    // MARK: one step

    private func make(
        _ attempt: inout Attempt, on monitor: inout QMPConnection, descriptors: [GuestPlan.Passed: CInt]
    ) throws(Failure) {
        let goal = attempt.step.goal
        for operation in attempt.step.operations {
            if let passed = operation.passing {
                guard let number = descriptors[passed] else {
                    throw Failure("there is no descriptor to send with \(operation.command.name)", .settled)
                }
                attempt.passed.append(operation.command)
                try asking { () throws(QMPError) in try monitor.execute(operation.command, passing: number) }
            } else if case .noObject = goal {
                try removeObject(operation.command, on: &monitor)
            } else if case .noDevice = goal {
                try askForRelease(operation.command, on: &monitor)
            } else {
                try asking { () throws(QMPError) in try monitor.execute(operation.command, within: timeLimit) }
            }
        }
        attempt.isAccepted = true
        try verify(goal, on: &monitor)
    }

    /// The last device lets go of the object only when QEMU has freed it, of which there is no event: a refusal is no
    /// refusal before the time is over.
    private func removeObject(_ command: QMPCommand, on monitor: inout QMPConnection) throws(Failure) {
        let deadline = ContinuousClock.now.advanced(by: timeLimit)
        while true {
            do throws(QMPError) {
                try monitor.execute(command)
                return
            } catch {
                guard case .refused = error.code, ContinuousClock.now < deadline else { throw Failure(error) }
            }
            pause(.milliseconds(5))
        }
    }

    /// A device that went meanwhile, or whose release an earlier detach has asked for, is no failure: what counts is
    /// whether the guest lets go.
    private func askForRelease(_ command: QMPCommand, on monitor: inout QMPConnection) throws(Failure) {
        do throws(QMPError) {
            try monitor.execute(command, within: timeLimit)
        } catch {
            // The second has no error class of its own (`qdev_unplug`, system/qdev-monitor.c).
            guard case .refused(let kind) = error.code,
                kind == "DeviceNotFound" || error.detail.hasSuffix("already in the process of unplug")
            else { throw Failure(error) }
        }
    }

    // MARK: what must be so after

    private func verify(_ goal: GuestPlan.Goal, on monitor: inout QMPConnection) throws(Failure) {
        let seen: [String]
        switch goal {
        case .object, .noObject: seen = try asking { () throws(QMPError) in try monitor.objectIDs() }
        case .device, .noDevice: seen = try asking { () throws(QMPError) in try monitor.deviceIDs() }
        }
        switch goal {
        case .object(let id), .device(let id):
            if !seen.contains(id) { throw Failure("it was accepted, but \(id) is not there", .settled) }
        case .noObject(let id):
            if seen.contains(id) { throw Failure("it was accepted, but \(id) is still there", .settled) }
        case .noDevice(let id):
            if seen.contains(id) { try awaitRelease(of: id, on: &monitor) }
            try awaitClosing()
        }
    }

    /// Waits for the guest's answer: QEMU's word that the device is gone, or that the guest does not give it up.
    private func awaitRelease(of id: String, on monitor: inout QMPConnection) throws(Failure) {
        let answers = ["DEVICE_DELETED", "DEVICE_UNPLUG_GUEST_ERROR"]
        let answer = try asking { () throws(QMPError) in
            try monitor.event(within: timeLimit, for: "device_del") {
                answers.contains($0.name) && $0.data["device"]?.string == id
            }
        }
        guard let answer else {
            throw Failure(
                "the guest has not answered within \(timeLimit.brief) and still has it: it may let go later, or not be "
                    + "running; ask again with a longer --timeout, or end the guest", .pending)
        }
        if answer.name != answers[0] {
            throw Failure("the guest refuses to let go of it (\(answer.name)): its driver is using it", .settled)
        }
    }

    private func awaitClosing() throws(Failure) {
        let deadline = ContinuousClock.now.advanced(by: timeLimit)
        while isHeld() == true {
            if ContinuousClock.now >= deadline {
                throw Failure("the guest has let go of it, but QEMU still holds its descriptor", .pending)
            }
            pause(.milliseconds(5))
        }
    }

    // MARK: undoing

    /// Undoes the step that failed and all before it, last first, and says how far that went.
    private func settle(_ failure: Failure, _ attempts: [Attempt], on monitor: inout QMPConnection) -> ChangeResult {
        switch failure.state {
        case .settled: break
        case .pending: return ChangeResult(.incomplete, error: failure.sentence)
        case .unknown:
            return ChangeResult(
                .incomplete, error: "\(failure.sentence); whether QEMU has obeyed cannot be told")
        }
        if attempts.dropLast().contains(where: { if case .noDevice = $0.step.goal { true } else { false } }) {
            return ChangeResult(.incomplete, error: "\(failure.sentence); the device itself was taken back")
        }
        var left: [String] = []
        for attempt in attempts.reversed() {
            for command in attempt.passed {
                // Refused where QEMU has taken the descriptor over, which only an attempt tells.
                do throws(QMPError) {
                    try monitor.execute(QMPCommand("closefd", command.arguments))
                } catch {
                    if case .refused = error.code { continue }
                    left.append(error.description)
                }
            }
            guard attempt.isAccepted else { continue }
            for command in attempt.step.undo {
                do throws(QMPError) { try monitor.execute(command) } catch { left.append(error.description) }
            }
        }
        guard left.isEmpty else {
            return ChangeResult(
                .incomplete,
                error: "\(failure.sentence); undoing it did not finish: \(left.joined(separator: "; "))")
        }
        return ChangeResult(.rolledBack, error: "\(failure.sentence); the guest is as it was before")
    }
}

/// How far one step came.
private struct Attempt {
    let step: GuestPlan.Step
    /// The `getfd` commands that were sent, answered or not.
    var passed: [QMPCommand] = []
    /// Whether every command was accepted.
    var isAccepted = false

    init(step: GuestPlan.Step) { self.step = step }
}

/// Why a step was not made.
private struct Failure: Error {
    enum State {
        /// It is known what was done and what not.
        case settled
        /// A command had no answer: it may have been obeyed.
        case unknown
        /// It was asked for, and may still come.
        case pending
    }

    var sentence: String
    var state: State

    init(_ sentence: String, _ state: State) {
        self.sentence = sentence
        self.state = state
    }

    init(_ error: QMPError) {
        guard case .refused = error.code else {
            self.init(error.description, .unknown)
            return
        }
        let isMemory = error.detail.contains("Cannot allocate memory") || error.detail.contains("= -12")
        self.init(
            error.description
                + (isMemory
                    ? "; QEMU may not lock all of the guest's memory: raise its limit (prlimit --memlock)" : ""),
            .settled)
    }
}

@discardableResult
private func asking<Answer>(_ body: () throws(QMPError) -> Answer) throws(Failure) -> Answer {
    do throws(QMPError) { return try body() } catch { throw Failure(error) }
}

extension GuestPlan {
    /// How a plan ends that is not to be run: refused, or nothing to do.
    public var resultWithoutRunning: ChangeResult? {
        if let sentence = shown.refusalSentence { return ChangeResult(.refused, error: sentence) }
        return steps.isEmpty ? ChangeResult(.unchanged) : nil
    }
}

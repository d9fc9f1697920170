public import HostAccess
internal import SystemPackage

/// Runs a plan as one transaction: each step guarded, made, verified; on failure everything made so far is undone in
/// reverse.
///
/// It knows steps, the journal and time limits; nothing of PCI, VFIO or networks. The caller holds the journal's lock.
public struct PlanRunner: Sendable {
    private let host: any HostAccess
    private let journal: Journal
    private let isCancelled: @Sendable () -> Bool
    private let progress: @Sendable (Progress) -> Void

    /// Makes a runner for one host.
    ///
    /// - Parameters:
    ///   - host: what is changed.
    ///   - journal: where the change is recorded.
    ///   - isCancelled: asked before each step; from true on, all is undone.
    ///   - progress: told what is being done.
    public init(
        on host: any HostAccess, journal: Journal, isCancelled: @escaping @Sendable () -> Bool = { false },
        progress: @escaping @Sendable (Progress) -> Void = { _ in }
    ) {
        self.host = host
        self.journal = journal
        self.isCancelled = isCancelled
        self.progress = progress
    }

    /// Runs the plan, or answers why it is not run.
    ///
    /// - Throws: `JournalError` when the journal cannot be written before the first operation: nothing was changed then.
    public func run(_ plan: Plan, pid: Int32) throws(JournalError) -> ChangeResult {
        if let sentence = plan.refusalSentence { return ChangeResult(.refused, error: sentence) }
        if plan.steps.isEmpty {
            for key in plan.forgets { try journal.forget(key) }
            return ChangeResult(.unchanged)
        }

        var known: [(key: String, origin: Origin?)] = []
        for origin in plan.origins { known.append((origin.key, try journal.origin(of: origin.key))) }
        var change = Journal.Change(
            bootID: host.optionalText("/proc/sys/kernel/random/boot_id") ?? "unknown", pid: pid, plan: plan, step: 0,
            phase: .doing)
        try journal.record(change)
        do throws(JournalError) {
            for origin in plan.origins { try journal.remember(origin) }
        } catch {
            // Nothing was changed, so nothing must look as if it were; the first error is the one to tell.
            for (key, origin) in known { try? journal.reset(key, to: origin) }
            try? journal.close()
            throw error
        }

        var pending: [String] = []
        var begun: [Int] = []
        for (index, step) in plan.steps.enumerated() {
            change.step = index
            if isCancelled() {
                change.error = "the change was interrupted"
                return settle(
                    StepFailure("the change was interrupted"), plan: plan, begun, change: &change, known: known)
            }
            progress(.began(step, index: index, count: plan.steps.count))
            do throws(StepFailure) {
                if index > 0 { try recording { () throws(JournalError) in try journal.record(change) } }
                pending += try make(step) { begun.append(index) }
                progress(.made(step))
            } catch {
                let hasChangedNothing = begun.allSatisfy { plan.steps[$0].isModuleLoad }
                if step.isModuleLoad, hasChangedNothing { return try withdraw(error, known: known) }
                change.error = error.sentence
                return settle(error, plan: plan, begun, change: &change, known: known)
            }
        }

        // What this very plan remembers anew (a function that came back at its address) is not forgotten.
        let renewed = Set(plan.origins.map(\.key))
        do throws(JournalError) {
            for key in plan.forgets where !renewed.contains(key) { try journal.forget(key) }
            try journal.close()
        } catch {
            return ChangeResult(.incomplete, error: "every step was made and verified, but \(error)", pending: pending)
        }
        return ChangeResult(.done, pending: pending)
    }

    // MARK: one step

    /// Makes one step; `begin` is called right before its first operation.
    private func make(_ planned: Step, begin: () -> Void) throws(StepFailure) -> [String] {
        let directory = try open(planned)
        guard let step = planned.located(in: directory) else {
            return [
                "\(planned.action) of \(subject(planned)): \(planned.operations.map(\.target).joined()) is not there now"
            ]
        }
        if !step.goals.isEmpty, unmet(step.goals, in: directory).isEmpty, unmet(step.late, in: directory).isEmpty {
            return []
        }
        if let violation = (step.identity + step.guards).lazy.compactMap({ $0.violation(in: directory) }).first {
            throw StepFailure("\(subject(step)) changed meanwhile, so \(step.action) was not made: \(violation)")
        }
        begin()
        for operation in step.operations { try perform(operation, of: step, in: directory) }
        let missing = waitFor(step.goals, of: step, in: directory)
        guard missing.isEmpty else {
            throw StepFailure(
                "\(step.action) of \(subject(step)) was accepted but did not take effect within "
                    + "\(step.settleSeconds) s: \(missing.joined(separator: ", "))")
        }
        return unmet(step.late, in: directory).map { "\(subject(step)): \($0)" }
    }

    private func open(_ step: Step) throws(StepFailure) -> any HostDirectory {
        do throws(HostAccessError) {
            return try host.directory(step.directory)
        } catch {
            throw StepFailure("\(step.action): \(subject(step)) is not there any more (\(error))", error)
        }
    }

    private func perform(_ operation: Operation, of step: Step, in directory: any HostDirectory) throws(StepFailure) {
        do throws(HostAccessError) {
            switch operation.kind {
            case .write:
                let value = operation.value.isEmpty ? "\n" : operation.value
                try directory.write(value, to: operation.target, timeLimit: .seconds(step.timeLimitSeconds))
            case .module:
                try host.loadModule(operation.target)
            case .netlink, .devlink, .socket, .ioctl:
                throw HostAccessError(.write, operation.target, value: operation.value, errno: .notSupported)
            }
        } catch {
            var failure = StepFailure("\(step.action) of \(subject(step)) failed: \(error)", error)
            if error.errno == .notPermitted, let meaning = step.meaningOfEPERM {
                failure.sentence += " (\(meaning))"
                failure.notPermitted = false
            }
            throw failure
        }
    }

    /// Waits until every goal is met or the step's time is over; answers what is still unmet.
    private func waitFor(_ goals: [Condition], of step: Step, in directory: any HostDirectory) -> [String] {
        var missing = unmet(goals, in: directory)
        var waited = Duration.zero
        var interval = Duration.milliseconds(1)
        while !missing.isEmpty, waited < .seconds(step.settleSeconds) {
            progress(.waiting(step, unmet: missing.count, of: goals.count))
            host.pause(interval)
            waited += interval
            interval = min(interval * 2, .milliseconds(50))
            missing = unmet(goals, in: directory)
        }
        return missing
    }

    private func unmet(_ conditions: [Condition], in directory: any HostDirectory) -> [String] {
        conditions.compactMap { $0.violation(in: directory) }
    }

    private func subject(_ step: Step) -> String { step.device ?? step.directory }

    // MARK: undoing

    /// Ends a plan that asked for a driver that does not exist, before anything of the host was changed.
    private func withdraw(_ failure: StepFailure, known: [(key: String, origin: Origin?)]) throws(JournalError)
        -> ChangeResult
    {
        for (key, origin) in known { try journal.reset(key, to: origin) }
        try journal.close()
        return ChangeResult(.refused, error: "\(failure.sentence); nothing was changed")
    }

    /// Undoes what was begun, last first, and says how far that went. A step that made no operation (its goal was met
    /// already, or its guard was not) is left alone: what is there is not ours.
    private func settle(
        _ failure: StepFailure, plan: Plan, _ begun: [Int], change: inout Journal.Change,
        known: [(key: String, origin: Origin?)]
    ) -> ChangeResult {
        if let helper = failure.pendingHelper {
            // What is pending may land at any time: undoing around it would race with it.
            change.phase = .incomplete
            change.pendingHelper = helper
            return incomplete(failure.sentence, failure: failure, change: change)
        }
        change.phase = .undoing
        var left: [String] = []
        for index in begun.reversed() {
            change.step = index
            progress(.undoing(plan.steps[index]))
            do throws(StepFailure) {
                // The undo goes on even where its progress cannot be recorded: a full /run is no reason to leave a
                // device without its driver.
                try? journal.record(change)
                try undo(plan.steps[index])
            } catch {
                left.append(error.sentence)
                if let helper = error.pendingHelper {
                    change.pendingHelper = helper
                    break
                }
            }
        }
        guard left.isEmpty else {
            change.phase = .incomplete
            return incomplete(
                "\(failure.sentence); undoing it did not finish: \(left.joined(separator: "; "))", failure: failure,
                change: change)
        }
        do throws(JournalError) {
            for (key, origin) in known { try journal.reset(key, to: origin) }
            try journal.close()
        } catch {
            return ChangeResult(
                .incomplete, error: "\(failure.sentence); all of it was undone, but \(error)",
                notPermitted: failure.notPermitted)
        }
        return ChangeResult(
            .rolledBack, error: "\(failure.sentence); the host is as it was before",
            notPermitted: failure.notPermitted && begun.count <= 1)
    }

    private func undo(_ step: Step) throws(StepFailure) {
        guard !step.undo.isEmpty else { return }
        let directory: any HostDirectory
        do throws(HostAccessError) {
            directory = try host.directory(step.directory)
        } catch {
            // A device that a later, already undone step brought into being took its state with it.
            if error.errno == .noSuchFileOrDirectory || error.errno == .noSuchAddressOrDevice { return }
            throw StepFailure("undoing \(step.action) of \(subject(step)): \(error)", error)
        }
        if let violation = step.identity.lazy.compactMap({ $0.violation(in: directory) }).first {
            throw StepFailure("undoing \(step.action) of \(subject(step)): it is another device now: \(violation)")
        }
        let undone = step.undone.compactMap { $0.located(in: directory) }
        if !undone.isEmpty, unmet(undone, in: directory).isEmpty { return }
        // Each is located when its turn comes, for the one before may have brought it back; what cannot be found is not
        // there to be given back.
        for operation in step.undo {
            guard let operation = operation.located(in: directory) else { continue }
            try perform(operation, of: step, in: directory)
        }
        let missing = waitFor(step.undone.compactMap { $0.located(in: directory) }, of: step, in: directory)
        guard missing.isEmpty else {
            throw StepFailure("undoing \(step.action) of \(subject(step)): \(missing.joined(separator: ", "))")
        }
    }

    private func incomplete(_ sentence: String, failure: StepFailure, change: Journal.Change) -> ChangeResult {
        var change = change
        change.error = sentence
        do throws(JournalError) {
            try journal.record(change)
        } catch {
            return ChangeResult(.incomplete, error: "\(sentence); and \(error)", notPermitted: failure.notPermitted)
        }
        return ChangeResult(
            .incomplete, error: "\(sentence); \(Journal.directory)/change.json says what is left",
            notPermitted: failure.notPermitted)
    }

    private func recording(_ body: () throws(JournalError) -> Void) throws(StepFailure) {
        do throws(JournalError) { try body() } catch { throw StepFailure(error.description) }
    }
}

extension Step {
    /// Whether it loads modules and does nothing else. An unused module changes nothing.
    fileprivate var isModuleLoad: Bool { !operations.isEmpty && operations.allSatisfy { $0.kind == .module } }
}

/// Why a step was not made, or not undone.
private struct StepFailure: Error {
    var sentence: String
    var pendingHelper: Int32?
    var notPermitted = false

    init(_ sentence: String, _ error: HostAccessError? = nil) {
        self.sentence = sentence
        if case .stillPending(let helper) = error?.code { pendingHelper = helper }
        notPermitted = error?.errno == .permissionDenied || error?.errno == .notPermitted
    }
}

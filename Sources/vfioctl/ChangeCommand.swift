internal import ArgumentParser
internal import Changes
internal import Glibc
internal import Host
internal import HostAccess
internal import HostSimulator
internal import LinuxIO

/// The options that every changing command takes.
struct ChangeOptions: ParsableArguments {
    @Flag(help: "Print the plan and change nothing.")
    var dryRun = false

    @Option(help: ArgumentHelp("With --root: keep the host that results from the change in DIR.", valueName: "dir"))
    var save: String?

    @Option(
        help: ArgumentHelp(
            "How long one write may take before it is left behind as pending.", valueName: "seconds"))
    var timeout: Int = 30

    func validate() throws {
        guard (1...86_400).contains(timeout) else {
            throw ValidationError("--timeout takes a number of seconds from 1 to 86400.")
        }
    }
}

/// What every changing command shares: observe, decide, act, verify, say.
struct ChangeCommand {
    /// The command's name in the schema: `bind`, `sriov_create`.
    var name: String
    var global: GlobalOptions
    var options: ChangeOptions

    /// Looks at the host, decides with `decide`, and runs the plan (or shows it), then ends the process with the contract's
    /// status unless it is 0.
    func run(deciding decide: (HostSnapshot, any HostAccess, Journal) throws -> Plan) throws {
        if options.save != nil, global.root == nil {
            throw CommandFailure(.usage, "--save keeps a simulated host, so it needs --root")
        }
        let host = try global.changeableHost()
        let journal = Journal(of: host)
        if !options.dryRun { DeferredSignals.begin() }
        var denial: CommandFailure?
        var lock: (any HostLock)?
        do {
            lock = options.dryRun ? nil : try takeLock(on: host)
        } catch let failure as CommandFailure where failure.status == .notPermitted {
            // What is wrong with the request itself is said first, to whoever asks.
            denial = failure
        }
        defer { withExtendedLifetime(lock) {} }

        var plan: Plan
        do {
            if denial == nil { try refuseUnsettled(journal) }
            let snapshot = try HostSnapshot.read(from: host)
            plan = try decide(snapshot, host, journal)
            plan.warnings += snapshot.notes
        } catch let error as JournalError {
            throw CommandFailure(error)
        } catch let error as HostAccessError {
            throw CommandFailure(error)
        }
        if let denial, !plan.isRefused { throw denial }
        for index in plan.steps.indices { plan.steps[index].timeLimitSeconds = options.timeout }
        let result = try execute(plan, on: host, journal)
        if let save = options.save, let simulated = host as? SimulatedHost { try keep(simulated, in: save) }
        try ChangeAnswer(name: name, global: global).say(plan, result)
    }

    private func takeLock(on host: any HostAccess) throws -> any HostLock {
        do {
            return try host.lock(Journal.directory + "/lock")
        } catch {
            throw CommandFailure(error)
        }
    }

    /// A change that an earlier process did not end is not built upon.
    private func refuseUnsettled(_ journal: Journal) throws {
        guard let change = try journal.change(), !options.dryRun else { return }
        throw CommandFailure(
            .incomplete,
            "an earlier change was not ended (process \(change.pid), \(change.phase.rawValue) step \(change.step + 1) of "
                + "\(change.plan.steps.count)\(change.error.map { ": " + $0 } ?? "")); settle what "
                + "\(Journal.directory)/change.json names, then remove that file")
    }

    private func execute(_ plan: Plan, on host: any HostAccess, _ journal: Journal) throws -> ChangeResult {
        if options.dryRun, !plan.isRefused { return ChangeResult(plan.steps.isEmpty ? .unchanged : .planned) }
        let progress = ProgressLine(verbose: global.verbose)
        defer { progress.clear() }
        do {
            return try PlanRunner(on: host, journal: journal, isCancelled: { DeferredSignals.isAskedToEnd }) {
                progress.show($0)
            }.run(plan, pid: getpid())
        } catch {
            throw CommandFailure(error)
        }
    }

    private func keep(_ host: SimulatedHost, in directory: String) throws {
        do {
            try host.save(to: directory)
        } catch {
            throw CommandFailure(.refused, "the resulting host could not be kept in \(directory): \(error)")
        }
    }
}

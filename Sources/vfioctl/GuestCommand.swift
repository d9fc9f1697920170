internal import ArgumentParser
internal import Changes
internal import Guests
internal import Host
internal import HostAccess
internal import SystemPackage
internal import VFIO

/// What `attach` and `detach` are told of the guest.
struct GuestOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The socket of the guest's monitor: what QEMU's -qmp unix:PATH names.", valueName: "socket"))
    var qmp: String

    @Option(help: ArgumentHelp("The device's id in the guest (default: vfio- and its address).", valueName: "id"))
    var id: String?

    @Flag(help: "Print the plan and change nothing.")
    var dryRun = false

    func validate() throws {
        guard !qmp.isEmpty else { throw ValidationError("--qmp takes the path of a socket.") }
        guard id.map(GuestNames.isWellFormed) ?? true else {
            throw ValidationError(
                "'\(id ?? "")' is no id that QEMU takes: a letter, then letters, digits, '-', '.' and '_'.")
        }
    }

    /// The limits that a time may have, in seconds.
    static func check(timeout: Int) throws {
        guard (1...86_400).contains(timeout) else {
            throw ValidationError("--timeout takes a number of seconds from 1 to 86400.")
        }
    }
}

/// What `attach` and `detach` share: look at the host and the guest, decide, act, say.
struct GuestCommand {
    /// The command's name in the schema.
    var name: String
    var global: GlobalOptions
    var options: GuestOptions
    var timeout: Int

    /// What a command decides upon, and what it needs to act.
    struct Situation {
        var device: Device
        var host: HostSnapshot
        var guest: GuestSnapshot
        /// Whether the guest's VMM has the device open; nil when that cannot be seen.
        var isHeld: @Sendable () -> Bool?
    }

    func run(
        _ name: String, deciding decide: (Situation) -> GuestPlan,
        acting act: (GuestRunner, GuestPlan, inout QMPConnection) throws(VFIOError) -> ChangeResult
    ) throws {
        guard global.root == nil else {
            throw CommandFailure(
                .usage, "\(self.name) reaches a running guest, which a captured host does not have: leave --root out")
        }
        let (host, snapshot) = try global.observe([.uses])
        let device = try DeviceArguments([name]).resolveOne(in: snapshot, on: host)
        do {
            var monitor = try QMPConnection.connect(to: options.qmp)
            let (process, node) = (monitor.peerProcess(), device.vfio.cdev)
            let isHeld: @Sendable () -> Bool? = {
                guard let process, let node else { return nil }
                return host.process(process, hasOpen: node)
            }
            let guest = try GuestSnapshot.read(from: &monitor)
            if global.verbose { Output.note("vfioctl: QEMU \(guest.version) at \(options.qmp)") }
            let plan = decide(Situation(device: device, host: snapshot, guest: guest, isHeld: isHeld))
            let result: ChangeResult
            if let early = plan.resultWithoutRunning {
                result = early
            } else if options.dryRun {
                result = ChangeResult(.planned)
            } else {
                let runner = GuestRunner(timeLimit: .seconds(timeout), isHeld: isHeld) { host.pause($0) }
                result = try act(runner, plan, &monitor)
            }
            try ChangeAnswer(name: self.name, global: global).say(plan.shown, result)
        } catch let error as QMPError {
            throw CommandFailure(error)
        } catch let error as VFIOError {
            throw CommandFailure(error)
        }
    }
}

extension CommandFailure {
    /// A monitor that could not be looked at: nothing was changed then.
    init(_ error: QMPError) {
        let status: ExitStatus =
            switch error.code {
            case .unreachable(.noSuchFileOrDirectory): .noSuchThing
            case .unreachable(let errno) where errno.isDenial: .notPermitted
            case .unreachable, .timedOut, .closed, .notQMP, .refused: .refused
            }
        self.init(status, error.description)
    }
}

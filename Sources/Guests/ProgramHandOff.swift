internal import Host
public import HostAccess
public import LinuxIO
internal import SystemPackage
public import VFIO

/// Handing open devices to a command that takes this process's place.
///
/// Made in two moves, so that everything that can be wrong with the request is known before a device is opened (and, by
/// being opened, reset): `init` looks, `run` acts.
public struct ProgramHandOff: Sendable {
    /// What is handed over.
    public let request: HandOverRequest
    /// The user the command runs as; nil stays who we are.
    public let user: UserAccount?
    /// The guest's RAM; nil when the command has none, or does not say.
    public let guestMemory: MemorySize?

    private let program: String
    private let arguments: [ArgumentTemplate]

    /// Checks a request: its placeholders, that there is such a command, and such a user.
    ///
    /// - Parameters:
    ///   - command: the command and its arguments. Placeholders are looked for in the arguments only.
    ///   - user: a name, or a number.
    public init(
        _ request: HandOverRequest, to command: [String], as user: String? = nil, guestMemory: MemorySize? = nil
    ) throws(ProgramHandOffError) {
        guard let program = command.first, !program.isEmpty else {
            throw ProgramHandOffError(.noSuchCommand, "there is no command to run: give one after --")
        }
        let arguments = command.dropFirst().map { ArgumentTemplate($0) }
        try request.check(arguments)
        do throws(SystemCallError) {
            try ProgramReplacement.locate(program)
        } catch {
            throw Self.explain(error, running: program)
        }
        self.request = request
        self.program = program
        self.arguments = arguments
        self.user = try user.map { name throws(ProgramHandOffError) in try Self.account(name) }
        self.guestMemory = guestMemory
    }

    /// What the user should know although it is no error.
    public var warnings: [String] {
        var warnings: [String] = []
        let name = program.split(separator: "/").last.map(String.init) ?? program
        if name.hasPrefix("qemu") || name == "kvm" {
            if request.backend == .group {
                warnings.append(
                    "QEMU cannot take group and container descriptors: it wants an iommufd and the device's own "
                        + "descriptor (--backend iommufd)")
            } else if request.attached {
                warnings.append(
                    "QEMU binds the device itself and refuses one that is bound already: leave --attached out for it")
            }
        }
        if user != nil, guestMemory == nil {
            warnings.append(
                "without --memory, RLIMIT_MEMLOCK is raised to what a program without guest RAM needs "
                    + "(\(MemorySize(bytes: LockedMemoryBudget.allowance)) above what the user locks already)")
        }
        return warnings
    }

    /// The limit on locked memory that the command gets; nil leaves it alone (no other user, no `--memory`).
    public func lockedMemory(on host: any HostDirectory) -> LockedMemoryBudget? {
        guard user != nil || guestMemory != nil else { return nil }
        let claimed =
            request.backend == .iommufd
            ? host.lockedMemory(claimedBy: user?.uid ?? UserAccount.currentID) : 0
        return LockedMemoryBudget(guestMemory: guestMemory?.bytes ?? 0, alreadyClaimed: claimed)
    }

    /// Becomes the command. It returns only by throwing, and everything is closed then.
    public func run(_ descriptors: consuming DeviceDescriptors, on host: any HostDirectory) throws(ProgramHandOffError)
        -> Never
    {
        let open = HandedOver(descriptors, addresses: request.addresses)
        try withExtendedLifetime(descriptors) { () throws(ProgramHandOffError) in try run(with: open, on: host) }
    }

    /// Becomes the command, which inherits every descriptor of `open`. It returns only by throwing; the descriptors are
    /// the caller's to close then.
    ///
    /// - Parameters:
    ///   - open: what was opened for `request`.
    ///   - host: where the user's other processes are looked for.
    public func run(with open: HandedOver, on host: any HostDirectory) throws(ProgramHandOffError) -> Never {
        var filled = [program]
        for argument in arguments { filled.append(try argument.filled(open.value)) }
        var replacement = ProgramReplacement(
            program: program, arguments: filled,
            environment: open.environment(replacingIn: ProgramReplacement.inheritedEnvironment))
        replacement.keptDescriptors = open.descriptors
        replacement.closesOthers = user != nil
        replacement.user = user
        replacement.lockedMemory = lockedMemory(on: host)?.limit
        do throws(SystemCallError) {
            try replacement.run()
        } catch {
            throw Self.explain(error, running: program)
        }
    }

    private static func account(_ name: String) throws(ProgramHandOffError) -> UserAccount {
        do throws(SystemCallError) {
            if let account = try UserAccount.find(name) { return account }
        } catch {
            throw ProgramHandOffError(.failed, "cannot look up the user \(name): \(error)")
        }
        throw ProgramHandOffError(
            .noSuchUser, "there is no user \(name) on this machine: give a name that `getent passwd` lists")
    }

    private static func explain(_ error: SystemCallError, running program: String) -> ProgramHandOffError {
        let refused = error.errno == .permissionDenied || error.errno == .notPermitted
        guard error.call == "execvp" else {
            let cure =
                refused ? "; root may, where it has CAP_SYS_RESOURCE, CAP_SETUID, CAP_SETGID and CAP_SETPCAP" : ""
            return ProgramHandOffError(refused ? .notPermitted : .failed, "cannot run \(program): \(error)\(cure)")
        }
        switch error.errno {
        case .noSuchFileOrDirectory, .notDirectory:
            let place = program.utf8.contains(UInt8(ascii: "/")) ? "no such file" : "no directory of PATH has it"
            return ProgramHandOffError(.noSuchCommand, "cannot run \(program): \(place)")
        default:
            return ProgramHandOffError(.notExecutable, "cannot run \(error.subject): \(error.errno)")
        }
    }
}

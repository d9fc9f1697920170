internal import ArgumentParser
internal import Changes
internal import Guests
internal import Host
internal import HostAccess
internal import LinuxIO
internal import PCI
internal import VFIO

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Open devices and become a command that is given their descriptors.",
        usage: "vfioctl run <device> ... [<options>] -- <command> ...",
        discussion: """
            In COMMAND's arguments {fdN} is the descriptor of device N, counted from 0 ({fd} is {fd0}), and {addressN} its \
            address; {iommufd}, and {ioas} with --attached, or {groupfdN} and {containerfd} with --backend group. The \
            environment has VFIO_DEVICE_FDS, and VFIO_IOMMUFD or VFIO_CONTAINER_FD.

            With iommufd the devices are handed over unbound, as QEMU wants them:

              vfioctl run 01:10.0 --user qemu --memory 4G -- qemu-system-x86_64 -m 4G … \\
                -object iommufd,id=i0,fd={iommufd} -device vfio-pci,fd={fd},iommufd=i0

            The exit status is COMMAND's; 127 where there is no such command, 126 where it cannot be run.
            """)

    // The parser has no two lists of arguments: what stands behind "--" is at the end of this one.
    @Argument(
        help: ArgumentHelp("The devices. They must be bound to vfio-pci, or to a variant of it.", valueName: "device"))
    var words: [String]

    @Option(
        help: ArgumentHelp(
            "Through which of the kernel's interfaces (default: iommufd where it is offered).",
            valueName: "group|iommufd"),
        completion: .list(VFIOBackend.allCases.map(\.rawValue)))
    var backend: String?

    @Flag(help: "With iommufd: bind the devices, and attach them to one fresh I/O address space.")
    var attached = false

    @Option(
        help: ArgumentHelp(
            "Drop to this user first: its groups, no capability, no_new_privs, no other descriptor, memory to lock.",
            valueName: "user"))
    var user: String?

    @Option(help: ArgumentHelp("The guest's RAM, for the limit on locked memory: 4G, 512M.", valueName: "size"))
    var memory: String?

    @OptionGroup var global: GlobalOptions

    /// COMMAND and its arguments: what stands behind the first "--", which no option can have as its value.
    private var command: [String] {
        Array(CommandLine.arguments.drop { $0 != "--" }.dropFirst())
    }

    private var devices: [String] { words.dropLast(command.count) }

    func validate() throws {
        guard !command.isEmpty else { throw ValidationError("Name the command to run, after --.") }
        guard !devices.isEmpty else { throw ValidationError("Name the devices to open, before --.") }
        guard backend.map({ VFIOBackend(rawValue: $0) != nil }) ?? true else {
            throw ValidationError("--backend takes group or iommufd, not '\(backend ?? "")'.")
        }
        guard let memory else { return }
        // QEMU counts in MiB where no unit is given; whoever writes 4096 here has that in mind.
        guard let size = MemorySize(memory), size.bytes >= 1 << 20 else {
            throw ValidationError("--memory takes a size with its unit, such as 4G or 512M, not '\(memory)'.")
        }
    }

    func run() throws {
        guard global.root == nil else {
            throw CommandFailure(.usage, "run opens devices, which a captured host does not have: leave --root out")
        }
        let (host, snapshot) = try global.observe([.uses])
        let addresses = try DeviceArguments(devices).resolve(in: snapshot, on: host).map(\.address)
        do {
            try reserveStandardDescriptors()
            let nodes = try addresses.map { try DeviceNodes(of: $0) }
            let choice = choose(for: nodes)
            let objections = snapshot.objectionsToOpening(addresses, through: choice.backend)
            if let sentence = objections.refusalSentence { throw CommandFailure(.refused, sentence) }
            let handOff = try prepare(for: addresses, choice)
            for warning in handOff.warnings { Output.note("vfioctl: note: \(warning)") }
            if global.verbose {
                Output.note("vfioctl: by \(choice.backend.rawValue): \(choice.reason)")
                if let budget = handOff.lockedMemory(on: host) {
                    Output.note("vfioctl: RLIMIT_MEMLOCK is raised to \(MemorySize(bytes: budget.limit))")
                }
            }
            try handOff.run(DeviceDescriptors.open(nodes, preparation(choice.backend)), on: host)
        } catch let error as VFIOError {
            throw CommandFailure(error)
        } catch let error as ProgramHandOffError {
            throw CommandFailure(error)
        } catch let error as SystemCallError {
            throw CommandFailure(.rolledBack, "\(error)")
        }
    }

    /// The backend that was asked for, or the newer of those that every device offers.
    private func choose(for nodes: [DeviceNodes]) -> BackendChoice {
        if let asked = backend.flatMap({ VFIOBackend(rawValue: $0) }) {
            return BackendChoice(asked, reason: "it was asked for")
        }
        let choices = nodes.map { BackendChoice.automatic(for: $0) }
        return choices.first { $0.backend == .group } ?? choices.first
            ?? BackendChoice(.iommufd, reason: "there is no device that lacks it")
    }

    private func preparation(_ backend: VFIOBackend) -> DeviceDescriptors.Preparation {
        switch backend {
        case .group: .group
        case .iommufd: attached ? .attached : .unbound
        }
    }

    private func prepare(for addresses: [PCIAddress], _ choice: BackendChoice) throws -> ProgramHandOff {
        do {
            return try ProgramHandOff(
                HandOverRequest(addresses: addresses, backend: choice.backend, attached: attached), to: command,
                as: user, guestMemory: memory.flatMap { MemorySize($0) })
        } catch {
            guard error.code == .badPlaceholder, backend == nil else { throw error }
            throw ProgramHandOffError(
                .badPlaceholder, "\(error) (\(choice.backend.rawValue) was chosen: \(choice.reason))")
        }
    }
}

extension CommandFailure {
    /// A hand-over to a command that did not happen.
    init(_ error: ProgramHandOffError) {
        let status: ExitStatus =
            switch error.code {
            case .badPlaceholder, .noSuchUser: .usage
            case .noSuchCommand: .noSuchCommand
            case .notExecutable: .notExecutable
            case .notPermitted: .notPermitted
            case .failed: .rolledBack
            }
        self.init(status, error.description)
    }
}

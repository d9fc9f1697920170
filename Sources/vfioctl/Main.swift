internal import ArgumentParser

@main
enum Main {
    static func main() {
        let arguments = GlobalOptions.gathered(from: Array(CommandLine.arguments.dropFirst()), root: Vfioctl.self)
        do {
            var command = try Vfioctl.parseAsRoot(arguments)
            try command.run()
        } catch let failure as CommandFailure {
            failure.report()
        } catch  where Vfioctl.exitCode(for: error) == .validationFailure {
            // One sentence, as every complaint; the parser's own report adds two lines of usage.
            CommandFailure(.usage, Vfioctl.message(for: error)).report()
        } catch {
            Vfioctl.exit(withError: error)
        }
    }
}

/// Every command's configuration spells its name: left to the parser, a name is asked of the type, and the first such
/// question searches the whole program for conformances, which takes longer than all else that a start does.
struct Vfioctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vfioctl",
        abstract: "Take PCI devices from their host drivers into KVM guests, and back.",
        discussion: """
            DEVICE is an address (0000:01:00.0, 01:00.0), a glob of addresses (01:00.*), a network interface (eth0),
            a block device (/dev/nvme0n1), a virtual function by its index (01:00.0:vf3, eth0:vf0), or a stable identity
            (list --stable shows it).
            """,
        version: version,
        subcommands: [
            List.self, Groups.self, Show.self, Check.self, Watch.self, Bind.self, Restore.self, SRIOVCommand.self,
            IRQCommand.self,
            Inspect.self, Read.self, Write.self, Regs.self, Run.self, Attach.self, Detach.self,
            CaptureCommand.self,
        ])

    static let version = "0.1.0"
}

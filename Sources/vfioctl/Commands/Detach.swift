internal import ArgumentParser
internal import Guests
internal import Host
internal import VFIO

struct Detach: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detach", abstract: "Take a device back from a running QEMU.",
        discussion: """
            The guest is asked to let go of the device, and may refuse, or never answer: then the request stays pending, \
            and the exit status is 5. Asking again waits for the same request.
            """)

    @Argument(help: ArgumentHelp("The device.", valueName: "device"))
    var device: String

    @OptionGroup var guest: GuestOptions

    @Option(help: ArgumentHelp("How long the guest may take to let go.", valueName: "seconds"))
    var timeout: Int = 30

    @OptionGroup var global: GlobalOptions

    func validate() throws { try GuestOptions.check(timeout: timeout) }

    func run() throws {
        try GuestCommand(name: "detach", global: global, options: guest, timeout: timeout).run(device) { situation in
            DetachRequest(address: situation.device.address, socket: guest.qmp, id: guest.id)
                .plan(in: situation.guest, isHeld: situation.isHeld())
        } acting: { runner, plan, monitor throws(VFIOError) in
            runner.run(plan, on: &monitor)
        }
    }
}

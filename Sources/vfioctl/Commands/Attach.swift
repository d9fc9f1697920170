internal import ArgumentParser
internal import Guests
internal import Host
internal import VFIO

struct Attach: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Give a device to a QEMU that is already running.",
        discussion: """
            The descriptors of the device and of an iommufd travel over the monitor's socket: QEMU needs no access to \
            anything under /dev/vfio. QEMU 9.0 or newer. A guest that has an iommufd uses it for every device.
            """)

    @Argument(
        help: ArgumentHelp("The device. It must be bound to vfio-pci, or to a variant of it.", valueName: "device"))
    var device: String

    @OptionGroup var guest: GuestOptions

    @Option(
        help: ArgumentHelp(
            "The bus to plug it into (default: the first free pcie-root-port, or QEMU's choice where there is none).",
            valueName: "bus"))
    var bus: String?

    @Option(
        help: ArgumentHelp(
            "How long QEMU may take to plug the device in; it pins all of the guest's memory.", valueName: "seconds"))
    var timeout: Int = 120

    @OptionGroup var global: GlobalOptions

    func validate() throws { try GuestOptions.check(timeout: timeout) }

    func run() throws {
        try GuestCommand(name: "attach", global: global, options: guest, timeout: timeout).run(device) { situation in
            AttachRequest(address: situation.device.address, socket: guest.qmp, id: guest.id, bus: bus)
                .plan(on: situation.host, in: situation.guest)
        } acting: { runner, plan, monitor throws(VFIOError) in
            let opened = try DeviceDescriptors.open([DeviceNodes(of: plan.address)], .unbound)
            return runner.run(plan, on: &monitor, handing: opened)
        }
    }
}

internal import ArgumentParser
internal import Host
internal import HostAccess
internal import PCI
internal import Passthrough

struct Bind: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bind", abstract: "Give devices to vfio-pci, or to another driver.",
        discussion: """
            Refused while a device is in use, or when its IOMMU group would not be viable afterwards; every refusal names \
            its evidence. A step that fails undoes the ones before it. What the devices had before is remembered under \
            /run/vfioctl for "vfioctl restore".
            """)

    @Argument(help: ArgumentHelp("Addresses, globs, interfaces or block devices.", valueName: "device"))
    var devices: [String]

    @Option(help: "The driver to bind to; its module is loaded when needed.")
    var driver = "vfio-pci"

    @Flag(help: "Bind every endpoint of the devices' IOMMU groups; bridges are left alone.")
    var group = false

    @Option(
        help: ArgumentHelp("Override one refusal: of this device, for this kind of user.", valueName: "device:by"))
    var force: [String] = []

    @OptionGroup var options: ChangeOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try DeviceArguments.validate(devices)
        guard Self.isDriverName(driver) else { throw ValidationError("'\(driver)' is no name of a driver.") }
    }

    /// A driver's name becomes a path component and a module's name: letters, digits, "-" and "_", as the kernel's are.
    static func isDriverName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count < 64
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.+".contains($0)) }
            && !name.hasPrefix(".")
    }

    /// The module of vfio-pci is called vfio_pci, and so do many call the driver.
    static func driverName(_ name: String) -> String { name == "vfio_pci" ? "vfio-pci" : name }

    func run() throws {
        try ChangeCommand(name: "bind", global: global, options: options).run { snapshot, host, _ in
            var snapshot = snapshot
            let addresses = try DeviceArguments(devices).resolve(in: snapshot, on: host).map(\.address)
            let forced = try Set(force.flatMap { try Self.forces($0, in: snapshot, on: host) })
            let request = BindRequest(
                devices: addresses, driver: Self.driverName(driver), wholeGroup: group, forced: forced)
            snapshot.readSignatures(of: request.targets(on: snapshot).map(\.address), from: host)
            return request.plan(on: snapshot)
        }
    }

    /// Reads DEVICE:BY; an address has colons of its own, so BY is what follows the last one.
    private static func forces(
        _ text: String, in snapshot: HostSnapshot, on host: any HostAccess
    ) throws -> [BindRequest.Force] {
        guard let colon = text.lastIndex(of: ":"),
            let by = Use.Kind(rawValue: String(text[text.index(after: colon)...]))
        else {
            let kinds = Use.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw CommandFailure(.usage, "--force takes DEVICE:BY with BY one of \(kinds), not '\(text)'")
        }
        return try DeviceArguments([String(text[..<colon])]).resolve(in: snapshot, on: host)
            .map { BindRequest.Force(device: $0.address, by: by) }
    }
}

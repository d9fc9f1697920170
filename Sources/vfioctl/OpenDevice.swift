internal import ArgumentParser
internal import Host
internal import PCI
internal import VFIO

/// How a command that opens a device is told which one, and how.
struct OpenDeviceOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp("The device. It must be bound to vfio-pci, or to a variant of it.", valueName: "device"))
    var device: String

    @Option(
        help: ArgumentHelp(
            "Through which of the kernel's interfaces (default: iommufd where it is offered).",
            valueName: "group|iommufd"),
        completion: .list(VFIOBackend.allCases.map(\.rawValue)))
    var backend: String?

    /// Opens the device, or says why not.
    func open(_ global: AnswerOptions) throws -> VFIODevice {
        guard global.root == nil else {
            throw CommandFailure(.usage, "this opens a device, which a captured host does not have: leave --root out")
        }
        let chosen = try backend.map { name in
            guard let backend = VFIOBackend(rawValue: name) else {
                throw CommandFailure(.usage, "--backend takes group or iommufd, not '\(name)'")
            }
            return backend
        }
        let (host, snapshot) = try global.observe([])
        let address = try DeviceArguments([device]).resolveOne(in: snapshot, on: host).address
        do {
            let device = try VFIODevice.open(address, backend: chosen)
            if global.verbose {
                Output.note("vfioctl: \(device.name) by \(device.backend.backend.rawValue): \(device.backend.reason)")
            }
            return device
        } catch {
            var failure = CommandFailure(error)
            if error.code == .held { failure.sentence += try holders(of: address, global) }
            throw failure
        }
    }

    /// Who has the device open, as the end of a sentence; nothing when nobody is seen.
    private func holders(of address: PCIAddress, _ global: AnswerOptions) throws -> String {
        let uses = try global.observe([.uses]).snapshot.device(at: address)?.uses ?? []
        let details = uses.filter { $0.by == .vfio }.map(\.detail)
        return details.isEmpty ? "" : " (\(details.joined(separator: ", ")))"
    }
}

extension CommandFailure {
    /// Something asked of a device through VFIO that was not done.
    init(_ error: VFIOError) {
        let status: ExitStatus =
            switch error.code {
            case .noSuchDevice, .noSuchRegion, .noSuchInterrupt, .outOfRange: .noSuchThing
            case .unaligned: .usage
            case .notPermitted: .notPermitted
            default: .refused
            }
        self.init(status, error.description)
    }
}

/// Runs what talks to a device, with its errors turned into the contract's.
func reportingVFIO<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as VFIOError { throw CommandFailure(error) }
}

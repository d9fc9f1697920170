internal import Host
internal import PCI

/// Who gives devices to drivers at boot: driverctl's overrides, and ids given to vfio-pci.
struct DriverRivals {
    private(set) var rivals: [Rival] = []
    private(set) var forbidden: [String] = []

    init(files: HostFiles, modprobe: ModprobeSettings, snapshot: HostSnapshot) {
        let overrides = "/etc/driverctl.d"
        let listing = files.listing(overrides)
        if listing.isForbidden { forbidden.append(overrides) }
        for name in listing.content ?? [] {
            guard let address = PCIAddress(name), let driver = files.text("\(overrides)/\(name)").content,
                !driver.isEmpty
            else { continue }
            rivals.append(
                Rival(
                    subject: .driverOwner,
                    evidence: "driverctl gives \(address) to \(driver) at every start (\(overrides)/\(name))",
                    cure: "driverctl unset-override \(address), or leave the driver to it", devices: [address]))
        }

        // ids=VENDOR:DEVICE[:SUBVENDOR:SUBDEVICE[:CLASS[:MASK]]],…: every device of that model.
        guard let setting = modprobe.option("ids", of: "vfio-pci") else { return }
        let models = setting.value.split(separator: ",").compactMap(Model.init)
        guard !models.isEmpty else { return }
        rivals.append(
            Rival(
                subject: .driverOwner,
                evidence:
                    "vfio-pci takes every device with the ids \(setting.value) when it is loaded (\(setting.place)): "
                    + "all of a model, whatever slot they are in",
                cure: "take ids= out of \(setting.place), and name devices by address",
                devices: Set(
                    snapshot.devices.filter { device in models.contains { $0.matches(device) } }.map(\.address))))
    }

    private struct Model {
        var vendor: UInt16
        var device: UInt16

        init?(_ text: Substring) {
            let fields = text.split(separator: ":").map { UInt16($0, radix: 16) }
            guard fields.count >= 2, let vendor = fields[0], let device = fields[1] else { return nil }
            self.vendor = vendor
            self.device = device
        }

        func matches(_ device: Device) -> Bool {
            device.identity.vendorID == vendor && device.identity.deviceID == self.device
        }
    }
}

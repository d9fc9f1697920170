internal import Host
internal import PCI

/// `list --stable` for people: what each device is called at every boot, beside its address of today.
struct StableTable {
    private var table = Table("ADDRESS", "STABLE", "DRIVER", "DEVICE")

    init(_ devices: [Device], of snapshot: HostSnapshot, names: some DeviceNames) {
        for device in devices {
            table.append(
                device.address.description, snapshot.stableIdentity(of: device)?.description ?? "-",
                device.driver ?? "-",
                device.name(names))
        }
    }

    func rendered(colours: Bool) -> String { table.rendered(colours: colours) }
}

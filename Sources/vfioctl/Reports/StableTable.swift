internal import Host
internal import PCI
internal import Rendering

/// `list --stable` for people: what each device is called at every boot, beside its address of today.
struct StableTable {
    private var table = Table(.whole("ADDRESS"), .whole("STABLE"), .whole("DRIVER"), .text("DEVICE"))

    init(_ devices: [Device], of snapshot: HostSnapshot, names: some DeviceNames) {
        for device in devices {
            table.add(device.address)
            table.add(snapshot.stableIdentity(of: device)?.description ?? "-")
            table.add(device.driver ?? "-")
            table.add(device.name(names))
        }
    }

    func rendered(width: Int?, colours: Bool) -> String { table.rendered(width: width, colours: colours) }
}

internal import Host
internal import LiveHost
internal import PCI
internal import Rendering

/// One line of `watch`.
struct WatchReport: Encodable {
    let schema = "vfioctl.watch/1"
    var action: String
    @Nullable var address: PCIAddress?
    @Nullable var driver: String?
    @Nullable var sequence: UInt64?
    var source: String
    @Nullable var device: DeviceReport?

    init(_ change: DeviceChange, source: DeviceEvents.Source, names: some DeviceNames) {
        self.source = source.rawValue
        address = change.address
        device = change.device.map { DeviceReport($0, names: names) }
        switch change.kind {
        case .event(let event):
            action = event.action.rawValue
            driver = event.driver
            sequence = event.sequence
        case .overrun: action = "overrun"
        case .vanished: action = "remove"
        case .present:
            action = "present"
            driver = change.device?.driver
        }
    }

    /// `bind     0000:01:10.0  vfio-pci  Intel Corporation 82576 Virtual Function`; nothing for an overrun, which standard
    /// error tells.
    func text(of change: DeviceChange, names: some DeviceNames) -> String {
        guard let address else { return "" }
        // What has gone is named as it was.
        let known = change.device ?? change.previous
        let padded = action + String(repeating: " ", count: max(0, 7 - action.utf8.count))
        let name = known.map { $0.name(names) } ?? "not there any more"
        // The device as it is by now may have another driver than the one that this event is about.
        let isWithout = ["unbind", "remove"].contains(action)
        let shown = driver ?? (isWithout ? nil : change.device?.driver) ?? "-"
        return "\(padded)  \(address)  \(shown)  \(name)".printable + "\n"
    }
}

internal import Host
internal import HostAccess
internal import Netlink
internal import PCI

/// What a person types: addresses, devices, identities, lists of CPUs.
@Sendable func parseNames(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let address = PCIAddress(text) {
        precondition(PCIAddress(address.description) == address, "an address reads back as itself")
    }
    if let list = NumberList(text) {
        precondition(NumberList(list.description) == list, "a list reads back as itself")
    }
    if let identity = StableIdentity(text) {
        precondition(StableIdentity(identity.description) == identity, "an identity reads back as itself")
    }
    if let address = IPAddress(text) {
        precondition(IPAddress(address.description) == address, "an IP address reads back as itself")
    }
    guard let selector = try? DeviceSelector(text) else { return }
    for device in (try? selector.devices(in: someHost)) ?? [] {
        precondition(someHost.device(at: device.address) == device, "what is found is one of the host's")
    }
}

private let someHost = HostSnapshot(
    devices: ["0000:01:00.0", "0000:01:10.0", "0001:02:1f.7"].compactMap { PCIAddress($0) }.map { address in
        var device = Device(
            address: address,
            identity: DeviceIdentity(vendorID: 0x8086, deviceID: 0x10c9, subsystemVendorID: 0, subsystemDeviceID: 0),
            classID: 0x020000)
        device.interfaces = ["eth\(address.bus)"]
        device.blockDevices = ["nvme\(address.bus)n1"]
        return device
    },
    groups: [], drivers: ["igb"])

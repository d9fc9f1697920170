import Host
import PCI
import Testing

@Suite("Devices as people name them")
struct DeviceSelectorTests {
    static let snapshot: HostSnapshot = {
        func device(_ text: String, _ change: (inout Device) -> Void = { _ in }) -> Device {
            let ids = DeviceIdentity(vendorID: 0x8086, deviceID: 1, subsystemVendorID: 0, subsystemDeviceID: 0)
            var device = Device(
                address: PCIAddress(text) ?? PCIAddress(domain: 0, routingID: 0), identity: ids, classID: 0x020000)
            change(&device)
            return device
        }
        let functions = ["0000:01:10.0", "0000:01:10.2"].compactMap { PCIAddress($0) }
        return HostSnapshot(
            devices: [
                device("0000:01:00.0") {
                    $0.interfaces = ["eth0"]
                    $0.sriov = SRIOV(totalVFs: 7, virtualFunctions: functions)
                },
                device("0000:01:00.1") { $0.interfaces = ["eth1"] }, device("0000:01:10.0"), device("0000:01:10.2"),
                device("0000:02:00.0") { $0.blockDevices = ["nvme0n1"] }, device("10000:01:00.0"),
            ], groups: [], drivers: [])
    }()

    func select(_ text: String) throws -> [String] {
        try DeviceSelector(text).devices(in: Self.snapshot).map(\.address.description)
    }

    @Test(
        "each spelling names its devices",
        arguments: [
            ("0000:01:00.0", ["0000:01:00.0"]), ("01:00.0", ["0000:01:00.0"]), ("10000:01:00.0", ["10000:01:00.0"]),
            ("01:00.*", ["0000:01:00.0", "0000:01:00.1"]), ("0000:01:?0.2", ["0000:01:10.2"]),
            ("*:01:00.0", ["0000:01:00.0", "10000:01:00.0"]), ("eth1", ["0000:01:00.1"]),
            ("/dev/nvme0n1", ["0000:02:00.0"]), ("nvme0n1", ["0000:02:00.0"]), ("01:00.0:vf1", ["0000:01:10.2"]),
            ("eth0:vf0", ["0000:01:10.0"]),
        ])
    func named(text: String, addresses: [String]) throws {
        #expect(try select(text) == addresses)
    }

    @Test(
        "what is spelt wrong is malformed, whatever the host looks like",
        arguments: [
            "", "1:0.0", "01:00.8", "zz:00.0", "/dev/", "/dev/disk/by-id/x", "/etc/passwd", "eth0:vf", "a b",
            "eth0:vf-1", "01:00.0:vfx",
        ])
    func malformed(text: String) {
        do {
            _ = try DeviceSelector(text)
            Issue.record("\(text) was accepted")
        } catch {
            #expect(error.isMalformed)
        }
    }

    @Test(
        "what is not there is no match, and not malformed",
        arguments: ["09:00.0", "09:*", "eth9", "lo", "/dev/sda", "01:00.0:vf2", "eth1:vf0"])
    func noMatch(text: String) throws {
        do {
            _ = try select(text)
            Issue.record("\(text) named something")
        } catch let error as DeviceSelectionError {
            #expect(!error.isMalformed)
            #expect(error.description.contains(text))
        }
    }
}

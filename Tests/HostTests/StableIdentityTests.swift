import Host
import HostAccess
import PCI
import TestSupport
import Testing

@Suite("Devices by what stays when bus numbers move")
struct StableIdentityTests {
    static let card = "0000:00/01.0/00.0-8086:10c9-1af4:1100"

    @Test(
        "an identity reads back as it was written",
        arguments: [
            card, card + "-sn525400ffff000001", card + ":vf0", card + "-sn525400ffff000001:vf6",
            "10000:e0/1f.7-8086:0000-0000:0000", "0000:80/00.0/1f.7/00.0/10.4-ffff:ffff-ffff:ffff",
        ])
    func roundTrip(text: String) throws {
        #expect(StableIdentity(text)?.description == text)
        #expect(!text.contains { " *?[]{}$`'\"\\|&;<>()#~!".contains($0) }, "a shell would read something into it")
    }

    @Test("digits of either case are taken, and written in lower case")
    func letterCase() {
        #expect(
            StableIdentity("0000:0A/1F.0-8086:10C9-1AF4:1100")?.description == "0000:0a/1f.0-8086:10c9-1af4:1100")
    }

    @Test(
        "anything else is refused, and as a DEVICE it is malformed",
        arguments: [
            "0000:00/01.0", "0000:00-8086:10c9-1af4:1100", "0000:00/-8086:10c9-1af4:1100",
            "0000:00/01.0/-8086:10c9-1af4:1100", "0000:00//01.0-8086:10c9-1af4:1100", "00/01.0-8086:10c9-1af4:1100",
            "0000:000/01.0-8086:10c9-1af4:1100", "0000:00/20.0-8086:10c9-1af4:1100", "0000:00/01.8-8086:10c9-1af4:1100",
            "0000:00/1.0-8086:10c9-1af4:1100", "0000:00/01.0-8086:10c9", "0000:00/01.0-8086:10c9-1af4:110",
            "0000:00/01.0-8086:10c9-1af4:1100-sn1", "0000:00/01.0-8086:10c9-1af4:1100-525400ffff000001",
            "0000:00/01.0-8086:10c9-1af4:1100-sn525400ffff000001-sn525400ffff000001",
            "0000:00/01.0-8086:10c9-1af4:1100:vf", "0000:00/01.0-8086:10c9-1af4:1100:vf-1",
            "0000:00/01.0-8086:10c9-1af4:1100:vf+1", "0000:00/01.0-8086:10c9-1af4:1100:vf99999999999999999999",
            "0000:00/01.0-8086:10c9-1af4:1100 ", " 0000:00/01.0-8086:10c9-1af4:1100",
            "123456789:00/01.0-8086:10c9-1af4:1100",
            "0000:00/01.0-8086:10c9-1af4:1100:vf3:vf4", "é/01.0-8086:10c9-1af4:1100",
        ])
    func refused(text: String) {
        #expect(StableIdentity(text) == nil)
        #expect(throws: DeviceSelectionError(text, .malformed)) { try DeviceSelector(text) }
    }

    // MARK: on a host

    /// A host of functions given by their way from the root bus; all of one model.
    func host(_ paths: [String], root: String = "pci0000:00", in tree: TemporaryDirectory) -> CapturedDirectory {
        for path in paths {
            let address = String(path.split(separator: "/").last ?? "")
            tree.file(
                "sys/devices/\(root)/\(path)/uevent", "PCI_CLASS=20000\nPCI_ID=8086:10C9\nPCI_SUBSYS_ID=1AF4:1100\n")
            tree.link("sys/bus/pci/devices/\(address)", to: "../../../devices/\(root)/\(path)")
        }
        guard let captured = try? CapturedDirectory(tree.path) else { preconditionFailure("it was just made") }
        return captured
    }

    @Test("the link of a device says how it hangs")
    func topology() throws {
        let tree = TemporaryDirectory()
        let host = host(["0000:00:1f.0", "0000:00:01.0/0000:01:00.0"], root: "platform/x/pci0000:00", in: tree)
        let snapshot = try HostSnapshot.read(from: host, parts: .topology)
        #expect(snapshot.devices[0].topology == DeviceTopology(domain: 0, rootBus: 0, bridges: []))
        #expect(snapshot.devices[1].topology?.bridges.map(\.description) == ["0000:00:01.0"])
        #expect(snapshot.stableIdentity(of: snapshot.devices[1])?.description == Self.card)
        #expect(try HostSnapshot.read(from: host, parts: []).devices.allSatisfy { $0.topology == nil })
    }

    @Test("below a VMD controller, the controller's place stands for its domain")
    func nestedRoot() throws {
        let tree = TemporaryDirectory()
        let host = host(["0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0"], in: tree)
        let snapshot = try HostSnapshot.read(from: host, parts: .topology)
        #expect(snapshot.stableIdentity(of: snapshot.devices[0])?.place == "0000:00/0e.0/06.0/00.0")
    }

    @Test(
        "a link that does not say is no topology, and no identity",
        arguments: ["../x/0000:01:00.0", "../../../devices/pci0000:00/0000:02:00.0", "pci0000:00", "pcix/0000:01:00.0"])
    func nonsense(link: String) throws {
        #expect(DeviceTopology(link: link, to: try #require(PCIAddress("0000:01:00.0"))) == nil)
    }

    @Test("it is found where it is, whatever the snapshot was read with, and after its bus got another number")
    func found() throws {
        for bus in ["01", "02"] {
            let tree = TemporaryDirectory()
            let host = host(["0000:00:01.0/0000:\(bus):00.0", "0000:00:02.0/0000:03:00.0"], in: tree)
            for parts in [HostSnapshot.Parts.topology, []] {
                let snapshot = try HostSnapshot.read(from: host, parts: parts)
                let devices = try DeviceSelector(Self.card).devices(in: snapshot, on: host)
                #expect(devices.map(\.address.description) == ["0000:\(bus):00.0"])
            }
        }
    }

    func reason(_ text: String, on host: CapturedDirectory) throws -> DeviceSelectionError.Reason? {
        let snapshot = try HostSnapshot.read(from: host, parts: [])
        do {
            _ = try DeviceSelector(text).devices(in: snapshot, on: host)
            return nil
        } catch {
            #expect(error.description.contains(text) && !error.isMalformed)
            return error.reason
        }
    }

    @Test("another device at its place is not taken, and named")
    func otherDevice() throws {
        let tree = TemporaryDirectory()
        let host = host(["0000:00:01.0/0000:01:00.0"], in: tree)
        let address = try #require(PCIAddress("0000:01:00.0"))
        let there = try #require(StableIdentity(Self.card))
        for other in ["8086:10c8-1af4:1100", "8087:10c9-1af4:1100", "8086:10c9-1af4:1101", "8086:10c9-1af5:1100"] {
            #expect(
                try reason("0000:00/01.0/00.0-" + other, on: host)
                    == .otherDevice(.init(address: address, identity: there)))
        }
    }

    @Test("an empty place is said, and where such a device is now")
    func emptyPlace() throws {
        let tree = TemporaryDirectory()
        let host = host(["0000:00:01.0/0000:01:00.0"], root: "pci0000:85", in: tree)
        let moved = DeviceSelectionError.Candidate(
            address: try #require(PCIAddress("0000:01:00.0")),
            identity: try #require(StableIdentity("0000:85/01.0/00.0-8086:10c9-1af4:1100")))
        #expect(try reason("0000:80/01.0/00.0-8086:10c9-1af4:1100", on: host) == .emptyPlace(candidates: [moved]))
        #expect(try reason("0000:80/01.0/00.0-8086:10c9-1af4:1101", on: host) == .emptyPlace(candidates: []))
        #expect(
            try reason(Self.card.replacing("/00.0", with: ""), on: host) == .emptyPlace(candidates: [moved]),
            "a place on the way is not the device's")
    }

    @Test("a capture whose directories are no links does not say where devices hang")
    func noTopology() throws {
        let tree = TemporaryDirectory()
        tree.file("sys/bus/pci/devices/0000:01:00.0/uevent", "PCI_ID=8086:10C9\n")
        #expect(try reason(Self.card, on: CapturedDirectory(tree.path)) == .noTopology)
    }

    @Test("a serial number decides where both sides have one")
    func serial() throws {
        let tree = TemporaryDirectory()
        let host = host(["0000:00:01.0/0000:01:00.0"], in: tree)
        var snapshot = try HostSnapshot.read(from: host, parts: .topology)
        let selector = try DeviceSelector(Self.card + "-sn525400ffff000001")
        #expect(try selector.devices(in: snapshot).count == 1, "it may not be read here")
        snapshot.devices[0].serialNumber = 0x5254_00ff_ff00_0001
        #expect(try selector.devices(in: snapshot).count == 1)
        #expect(try DeviceSelector(Self.card).devices(in: snapshot).count == 1, "it was not written down")
        snapshot.devices[0].serialNumber = 2
        #expect(throws: DeviceSelectionError.self) { try selector.devices(in: snapshot) }
        #expect(
            snapshot.stableIdentity(of: snapshot.devices[0])?.description == Self.card + "-sn0000000000000002")
    }

    @Test("a virtual function goes by its physical one and its index")
    func virtualFunctions() throws {
        let tree = TemporaryDirectory()
        let host = host(
            ["0000:00:01.0/0000:01:00.0", "0000:00:01.0/0000:01:10.0", "0000:00:01.0/0000:02:10.0"], in: tree)
        let card = "sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0"
        tree.file(card + "/sriov_totalvfs", "7\n")
        for (index, address) in ["0000:01:10.0", "0000:02:10.0"].enumerated() {
            tree.link("\(card)/virtfn\(index)", to: "../" + address)
        }
        let snapshot = try HostSnapshot.read(from: host, parts: .topology)
        let functions = snapshot.devices.dropFirst()
        #expect(
            functions.map { snapshot.stableIdentity(of: $0)?.description } == [Self.card + ":vf0", Self.card + ":vf1"])
        for function in functions {
            let text = try #require(snapshot.stableIdentity(of: function)?.description)
            #expect(try DeviceSelector(text).devices(in: snapshot).map(\.address) == [function.address])
        }
        #expect(
            try reason(Self.card + ":vf2", on: host) == .noVirtualFunction(of: snapshot.devices[0].address, count: 2))
    }
}

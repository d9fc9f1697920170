import Changes
import Host
import HostAccess
import HostSimulator
import PCI
import Passthrough
import Testing

@Suite("Virtual functions")
struct VirtualFunctionTests {
    static let attributes = "/sys/bus/pci/devices/0000:01:00.0/"

    func create(_ count: Int, driver: String? = "vfio-pci", on host: SimulatedHost) throws -> ChangeResult {
        let card = try address("0000:01:00.0")
        return try change(host) {
            CreateVirtualFunctions(physicalFunction: card, count: count, driver: driver).plan(on: $0)
        }
    }

    func destroy(on host: SimulatedHost) throws -> ChangeResult {
        let card = try address("0000:01:00.0")
        return try change(host) { DestroyVirtualFunctions(physicalFunction: card).plan(on: $0) }
    }

    @Test("three are created at their addresses, bound, and autoprobe is put back")
    func create() throws {
        let host = SampleHost.make()
        #expect(try create(3, on: host).outcome == .done)
        for function in ["0000:01:10.0", "0000:01:10.2", "0000:01:10.4"] {
            #expect(driver(of: function, on: host) == "vfio-pci")
        }
        #expect(host.optionalText(Self.attributes + "sriov_numvfs") == "3")
        #expect(host.optionalText(Self.attributes + "sriov_drivers_autoprobe") == "1")
    }

    @Test("the same count again changes nothing")
    func again() throws {
        let host = SampleHost.make()
        _ = try create(3, on: host)
        #expect(try create(3, on: host).outcome == .unchanged)
    }

    @Test("another count goes through zero")
    func throughZero() throws {
        let host = SampleHost.make()
        _ = try create(3, on: host)
        let before = try HostSnapshot.read(from: host)
        let card = try address("0000:01:00.0")
        let plan = CreateVirtualFunctions(physicalFunction: card, count: 5, driver: "vfio-pci").plan(on: before)
        let counts = plan.steps.flatMap(\.operations).filter { $0.target == "sriov_numvfs" }.map(\.value)
        #expect(counts == ["0", "5"])
        #expect(try change(host) { _ in plan }.outcome == .done)
        #expect(host.optionalText(Self.attributes + "sriov_numvfs") == "5")
        #expect(try Journal(of: host).origins().count == 5)
    }

    @Test("a count above the limit is refused before the kernel is asked", arguments: [8, 65_536])
    func aboveLimit(count: Int) throws {
        let host = SampleHost.make()
        let before = host.files()
        let result = try create(count, on: host)
        #expect(result.outcome == .refused)
        #expect(result.error?.contains("7 virtual functions at most") == true)
        #expect(host.files() == before)
    }

    @Test("destroying gives everything back, and forgets the functions")
    func destroy() throws {
        let host = SampleHost.make()
        let before = host.files()
        _ = try create(3, on: host)
        #expect(try destroy(on: host).outcome == .done)
        #expect(host.files().filter { !$0.key.contains("vfio-pci") && !$0.key.contains("vfio_pci") } == before)
        #expect(try destroy(on: host).outcome == .unchanged)
    }

    @Test("when the last function cannot be bound, none is left", arguments: ["driver_override", "vfio-pci/bind"])
    func undone(path: String) throws {
        let host = SampleHost.make()
        let before = host.files()
        host.inject(SimulatedHost.Fault(pathSuffix: path, errno: 16, skipping: 2))
        #expect(try create(3, on: host).outcome == .rolledBack)
        #expect(host.files().filter { !$0.key.contains("vfio-pci") && !$0.key.contains("vfio_pci") } == before)
    }

    @Test("when another count cannot be made, the functions that were there are back, with their drivers and overrides")
    func throughZeroUndone() throws {
        let host = SampleHost.make()
        _ = try create(3, on: host)
        let before = host.files()
        host.inject(SimulatedHost.Fault(pathSuffix: "vfio-pci/bind", errno: 16, skipping: 2))
        #expect(try create(5, on: host).outcome == .rolledBack)
        let after = host.files()
        let different = Set(after.keys).union(before.keys).filter { after[$0] != before[$0] }
        // VFIO numbers its devices in the order they are bound.
        #expect(different.filter { !$0.contains("/vfio-dev/") } == [])
        #expect(driver(of: "0000:01:10.4", on: host) == "vfio-pci")
    }

    @Test("another count with a driver that does not exist changes nothing")
    func throughZeroNoDriver() throws {
        let host = SampleHost.make()
        _ = try create(2, on: host)
        let before = host.files()
        #expect(try create(3, driver: "nosuch", on: host).outcome == .refused)
        #expect(host.files() == before)
    }

    @Test("a count that no address can hold is refused", arguments: [Int.max, 1 << 40])
    func absurd(count: Int) throws {
        #expect(try create(count, on: SampleHost.make()).outcome == .refused)
    }

    @Test("a physical function with virtual ones is not bound: its driver made them")
    func physicalFunctionWithVFs() throws {
        let host = SampleHost.make()
        _ = try create(2, on: host)
        let card = try address("0000:01:00.0")
        let plan = BindRequest(devices: [card]).plan(on: try HostSnapshot.read(from: host))
        #expect(plan.refusals.contains { $0.by == "vf" })
    }

    @Test("virtual functions in use are not taken away")
    func inUse() throws {
        let host = SampleHost.make()
        _ = try create(2, on: host)
        var snapshot = try HostSnapshot.read(from: host)
        let index = try #require(snapshot.devices.firstIndex { $0.address.description == "0000:01:10.2" })
        snapshot.devices[index].uses = [Use(by: .vfio, detail: "process 4242 (qemu) has /dev/vfio/7 open")]
        let card = try address("0000:01:00.0")
        for plan in [
            DestroyVirtualFunctions(physicalFunction: card).plan(on: snapshot),
            CreateVirtualFunctions(physicalFunction: card, count: 5).plan(on: snapshot),
        ] {
            #expect(plan.refusals.map(\.device) == ["0000:01:10.2"])
        }
    }

    @Test("a device without SR-IOV says so")
    func noSRIOV() throws {
        let disk = try address("0000:02:00.0")
        let result = try change(SampleHost.make()) {
            CreateVirtualFunctions(physicalFunction: disk, count: 1).plan(on: $0)
        }
        #expect(result.outcome == .refused)
        #expect(result.error?.contains("SR-IOV") == true)
    }
}

import Changes
import Host
import HostAccess
import HostSimulator
import PCI
import Passthrough
import Testing

func address(_ text: String) throws -> PCIAddress { try #require(PCIAddress(text)) }

/// Plans on what the host looks like, and runs the plan on it.
func change(_ host: SimulatedHost, _ decide: (HostSnapshot) throws -> Plan) throws -> ChangeResult {
    let plan = try decide(try HostSnapshot.read(from: host))
    return try PlanRunner(on: host, journal: Journal(of: host)).run(plan, pid: 42)
}

func driver(of text: String, on host: SimulatedHost) -> String? {
    host.linkName("/sys/bus/pci/devices/\(text)/driver")
}

func driverOverride(of text: String, on host: SimulatedHost) -> String? {
    host.optionalText("/sys/bus/pci/devices/\(text)/driver_override")
}

@Suite("Binding devices, and giving them back")
struct BindTests {
    @Test("a device goes to vfio-pci by its own override, and comes back as it was")
    func thereAndBack() throws {
        let host = SampleHost.make()
        _ = try change(host) { _ in Plan(steps: []) }
        let before = host.files()
        let card = try address("0000:02:00.0")
        #expect(try change(host) { BindRequest(devices: [card]).plan(on: $0) }.outcome == .done)
        #expect(driver(of: "0000:02:00.0", on: host) == "vfio-pci")
        #expect(driverOverride(of: "0000:02:00.0", on: host) == "vfio-pci")
        #expect(host.exists("/dev/vfio/2"))

        let origins = try Journal(of: host).origins()
        #expect(try change(host) { RestoreRequest(devices: [card], origins: origins).plan(on: $0) }.outcome == .done)
        #expect(driver(of: "0000:02:00.0", on: host) == "nvme")
        // The module stays loaded; all else is as before, the journal included.
        let after = host.files().filter { !$0.key.contains("vfio-pci") && !$0.key.contains("vfio_pci") }
        #expect(after == before)
    }

    @Test("bound already, nothing is done")
    func unchanged() throws {
        let host = SampleHost.make()
        let card = try address("0000:02:00.0")
        _ = try change(host) { BindRequest(devices: [card]).plan(on: $0) }
        #expect(try change(host) { BindRequest(devices: [card]).plan(on: $0) }.outcome == .unchanged)
    }

    @Test("a group with a member on its host driver is refused, and the member is named")
    func notViable() throws {
        let host = SampleHost.make()
        let before = host.files()
        let member = try address("0000:06:01.0")
        let result = try change(host) { BindRequest(devices: [member]).plan(on: $0) }
        #expect(result.outcome == .refused)
        #expect(result.error?.contains("0000:06:02.0 is bound to e1000") == true)
        #expect(host.files() == before)
    }

    @Test("a whole group goes in two passes: every member leaves its driver before the first is bound")
    func wholeGroup() throws {
        let host = SampleHost.make()
        let member = try address("0000:06:01.0")
        let plan = BindRequest(devices: [member], wholeGroup: true).plan(on: try HostSnapshot.read(from: host))
        let actions = plan.steps.map(\.action)
        let lastUnbind = try #require(actions.lastIndex(of: "unbind"))
        #expect(lastUnbind < (try #require(actions.firstIndex(of: "bind"))))
        #expect(try change(host) { _ in plan }.outcome == .done)
        #expect(driver(of: "0000:06:01.0", on: host) == "vfio-pci")
        #expect(driver(of: "0000:06:02.0", on: host) == "vfio-pci")
        // The bridge of the group is left alone.
        #expect(driver(of: "0000:05:00.0", on: host) == nil)
    }

    @Test("when the second member of a group cannot be bound, the first is given back")
    func groupUndone() throws {
        let host = SampleHost.make()
        let before = host.files()
        host.inject(SimulatedHost.Fault(pathSuffix: "vfio-pci/bind", errno: 5, skipping: 1))
        let member = try address("0000:06:01.0")
        let result = try change(host) { BindRequest(devices: [member], wholeGroup: true).plan(on: $0) }
        #expect(result.outcome == .rolledBack)
        #expect(driver(of: "0000:06:02.0", on: host) == "e1000")
        #expect(host.files().filter { !$0.key.contains("vfio-pci") && !$0.key.contains("vfio_pci") } == before)
    }

    @Test("a bridge is refused: what is behind it can be given, it cannot")
    func bridge() throws {
        let host = SampleHost.make()
        let bridge = try address("0000:00:1c.0")
        let result = try change(host) { BindRequest(devices: [bridge]).plan(on: $0) }
        #expect(result.outcome == .refused)
        #expect(result.error?.contains("bridge") == true)
    }

    @Test("a driver that does not exist is a refusal, with nothing changed")
    func noSuchDriver() throws {
        let host = SampleHost.make()
        let before = host.files()
        let card = try address("0000:02:00.0")
        let result = try change(host) { BindRequest(devices: [card], driver: "nosuch").plan(on: $0) }
        #expect(result.outcome == .refused)
        #expect(host.files() == before)
    }

    @Test("a kernel without vfio-pci is a refusal, with nothing changed")
    func noVFIO() throws {
        let host = SampleHost.make(modules: [])
        let before = host.files()
        let card = try address("0000:02:00.0")
        #expect(try change(host) { BindRequest(devices: [card]).plan(on: $0) }.outcome == .refused)
        #expect(host.files() == before)
    }

    @Test("each use is a refusal of its own, and is overridden one by one")
    func uses() throws {
        var snapshot = try HostSnapshot.read(from: SampleHost.make())
        let card = try address("0000:02:00.0")
        let index = try #require(snapshot.devices.firstIndex { $0.address == card })
        snapshot.devices[index].uses = [
            Use(by: .mount, detail: "nvme0n1p1 is mounted on /"), Use(by: .swap, detail: "nvme0n1p2 is swap"),
        ]
        #expect(BindRequest(devices: [card]).plan(on: snapshot).refusals.map(\.by) == ["mount", "swap"])
        let forced = BindRequest(devices: [card], forced: [.init(device: card, by: .mount)])
        #expect(forced.plan(on: snapshot).refusals.map(\.by) == ["swap"])
    }

    @Test("what could not be seen, and what is on an idle disk, is a warning and no refusal")
    func warnings() throws {
        var snapshot = try HostSnapshot.read(from: SampleHost.make())
        let card = try address("0000:02:00.0")
        let index = try #require(snapshot.devices.firstIndex { $0.address == card })
        snapshot.devices[index].unseen = ["not permitted to look at processes"]
        snapshot.devices[index].signatures = [
            IdleDisk(blockDevice: "nvme0n1", content: DiskContent(type: "xfs", label: "data"))
        ]
        let plan = BindRequest(devices: [card]).plan(on: snapshot)
        #expect(!plan.isRefused)
        #expect(
            plan.warnings == [
                "0000:02:00.0: not permitted to look at processes",
                "0000:02:00.0: nvme0n1 is not in use, but has xfs on it (data)",
            ])
        let other = try address("0000:01:00.0")
        #expect(BindRequest(devices: [other]).plan(on: snapshot).warnings == [], "not this device's")
    }

    @Test("the firmware's framebuffer keeps a guest from a device's memory, not its own driver from having it back")
    func framebuffer() throws {
        let host = SampleHost.make()
        let card = try address("0000:02:00.0")
        _ = try change(host) { BindRequest(devices: [card]).plan(on: $0) }
        var snapshot = try HostSnapshot.read(from: host)
        let index = try #require(snapshot.devices.firstIndex { $0.address == card })
        snapshot.devices[index].uses = [Use(by: .display, detail: "BOOTFB has its memory")]
        #expect(!RestoreRequest(devices: [card], origins: []).plan(on: snapshot).isRefused)
        snapshot.devices[index].uses.append(Use(by: .vfio, detail: "process 12 (qemu) has it open"))
        #expect(RestoreRequest(devices: [card], origins: []).plan(on: snapshot).refusals.map(\.by) == ["vfio"])
    }

    @Test("restoring without a record frees the device and offers it to the drivers that claim it")
    func noRecord() throws {
        let host = SampleHost.make()
        let card = try address("0000:02:00.0")
        _ = try change(host) { BindRequest(devices: [card]).plan(on: $0) }
        try host.removeFile("/run/vfioctl/origins/0000:02:00.0.json")
        let plan = RestoreRequest(devices: [card], origins: []).plan(on: try HostSnapshot.read(from: host))
        #expect(plan.warnings.count == 1)
        #expect(try change(host) { _ in plan }.outcome == .done)
        #expect(driver(of: "0000:02:00.0", on: host) == "nvme")
        #expect(driverOverride(of: "0000:02:00.0", on: host) == "(null)")
    }

    @Test("a record of another device at the same address is not applied")
    func otherDevice() throws {
        let host = SampleHost.make()
        let card = try address("0000:02:00.0")
        let origin = Origin(key: card.description, identity: "10de:2330:0:0", values: ["driver": "nvidia"])
        let plan = RestoreRequest(devices: [card], origins: [origin]).plan(on: try HostSnapshot.read(from: host))
        #expect(plan.steps.isEmpty)
        #expect(plan.forgets == [card.description])
    }
}

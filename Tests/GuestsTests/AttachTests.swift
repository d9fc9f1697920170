import Changes
import Guests
import Host
import LinuxIO
import Testing

@Suite("Attaching a device to a running guest")
struct AttachTests {
    private let request = AttachRequest(address: igb, socket: "/run/m")

    @Test("the plan hands over the iommufd and the device, and shows each command")
    func plan() {
        let guest = GuestSnapshot(
            version: "10.0.2", rootPorts: [.init(id: "rp0", isFree: false), .init(id: "rp1", isFree: true)])
        let plan = request.plan(on: host(), in: guest)
        #expect(plan.steps.map(\.action) == ["add-iommufd", "plug"])
        let operations = plan.shown.steps.flatMap(\.operations)
        #expect(operations.allSatisfy { $0.kind == .socket && $0.target == "/run/m" })
        #expect(
            operations.map(\.value) == [
                #"{"arguments":{"fdname":"vfioctl-iommufd-fd"},"execute":"getfd"}"#,
                #"{"arguments":{"fd":"vfioctl-iommufd-fd","id":"vfioctl-iommufd","qom-type":"iommufd"},"#
                    + #""execute":"object-add"}"#,
                #"{"arguments":{"fdname":"vfio-0000-01-00.0-fd"},"execute":"getfd"}"#,
                #"{"arguments":{"bus":"rp1","driver":"vfio-pci","fd":"vfio-0000-01-00.0-fd","id":"vfio-0000-01-00.0","#
                    + #""iommufd":"vfioctl-iommufd"},"execute":"device_add"}"#,
            ])
        #expect(plan.shown.steps.allSatisfy { $0.device == "0000:01:00.0" })
    }

    @Test("done: QEMU has the right descriptors, in the right places")
    func done() throws {
        let fake = FakeMonitor()
        let result = try attach(to: fake)
        let machine = fake.end()
        #expect(result == ChangeResult(.done))
        #expect(machine.taken == ["vfioctl-iommufd": "/dev/null", "vfio-0000-01-00.0": "/dev/zero"])
        #expect(machine.buses == ["vfio-0000-01-00.0": "rp0"])
        #expect(machine.descriptors.isEmpty)
        #expect(machine.log == ["getfd", "object-add", "getfd", "device_add"])
    }

    @Test("a second device shares the first one's iommufd, and takes the next port")
    func second() throws {
        var machine = FakeMonitor.Machine()
        machine.add("vfio-0000-02-00.0", at: "rp0")
        let fake = FakeMonitor(machine)
        #expect(try attach(to: fake) == ChangeResult(.done))
        let after = fake.end()
        #expect(after.log == ["getfd", "device_add"])
        #expect(after.buses["vfio-0000-01-00.0"] == "rp1")
    }

    @Test("an iommufd that the guest was started with is used: its memory is pinned once, not twice")
    func startedWithOne() throws {
        var machine = FakeMonitor.Machine()
        machine.objects["i0"] = "iommufd"
        let fake = FakeMonitor(machine)
        #expect(try attach(to: fake) == ChangeResult(.done))
        #expect(fake.end().log == ["getfd", "device_add"])
    }

    @Test("a device that the guest has already is no change")
    func already() throws {
        var machine = FakeMonitor.Machine()
        machine.add("vfio-0000-01-00.0", at: "rp0")
        let fake = FakeMonitor(machine)
        // It is held, of course: by this very guest.
        #expect(try attach(to: fake, on: host(heldBy: "pid 12 (qemu)")) == ChangeResult(.unchanged))
        #expect(fake.end().log.isEmpty)
    }

    @Test("another member of the group in the same guest is no obstacle, in another one it is")
    func siblings() {
        let held = host(siblingHeldBy: "pid 12 (qemu)")
        var guest = GuestSnapshot(
            version: "10.0.2", objects: ["vfioctl-iommufd": "iommufd", "own": "iommufd"],
            iommufdOf: ["vfio-0000-01-00.1": "own"])
        let plan = request.plan(on: held, in: guest)
        #expect(plan.refusals.isEmpty)
        // The kernel gives a group to one iommufd only.
        #expect(plan.steps.last?.operations.last?.command.arguments["iommufd"] == "own")
        guest.iommufdOf = [:]
        #expect(request.plan(on: held, in: guest).refusals.map(\.device) == ["0000:01:00.1"])
    }

    @Test("what the host or the guest forbids is refused before anything is sent")
    func refused() {
        let guest = GuestSnapshot(version: "7.2.0")
        var other = guest
        other.devices = ["vfio-0000-01-00.0": "e1000e"]
        var old = guest
        old.hasIOMMUFD = false
        var full = guest
        full.rootPorts = [.init(id: "rp0", isFree: false)]
        var strange = guest
        strange.objects = ["vfioctl-iommufd": "rng-random"]
        for (plan, reason) in [
            (request.plan(on: host(driver: "igb"), in: guest), "vfioctl bind"),
            (request.plan(on: host(heldBy: "pid 1"), in: guest), "pid 1"),
            (request.plan(on: host(), in: other), "choose another --id"),
            (request.plan(on: host(), in: old), "this QEMU (7.2.0)"),
            (request.plan(on: host(), in: full), "every root port of the guest is taken (rp0)"),
            (request.plan(on: host(), in: strange), "is a rng-random"),
        ] {
            let result = plan.resultWithoutRunning
            #expect(result?.outcome == .refused && plan.steps.isEmpty)
            #expect(result?.error?.contains(reason) == true, "\(result?.error ?? "")")
        }
        let named = AttachRequest(address: igb, socket: "/run/m", bus: "rp9").plan(on: host(), in: full)
        #expect(named.resultWithoutRunning == nil)
    }

    @Test(
        "a command that QEMU refuses undoes what went before",
        arguments: ["object-add", "device_add"], [true, false])
    func undone(command: String, consumesDescriptor: Bool) throws {
        let before = FakeMonitor.Machine()
        let fake = FakeMonitor(
            before,
            .init(refuses: [command: "Bus 'rp0' not found"], consumesDescriptorsOfRefused: consumesDescriptor))
        let result = try attach(to: fake)
        let machine = fake.end()
        #expect(result.outcome == .rolledBack)
        #expect(result.error?.contains("\(command) at the monitor /run/m was refused: Bus 'rp0' not found") == true)
        #expect(machine.objects == before.objects)
        #expect(machine.devices.count == before.devices.count)
        #expect(machine.descriptors.isEmpty)
    }

    @Test("a refused getfd undoes what went before, too")
    func getfdRefused() throws {
        let fake = FakeMonitor(.init(), .init(refuses: ["getfd": "No file descriptor supplied"]))
        #expect(try attach(to: fake).outcome == .rolledBack)
        #expect(fake.end().objects.keys.sorted() == ["pc.ram"])
    }

    @Test("what QEMU accepts and does not do is a failure")
    func noEffect() throws {
        for command in ["object-add", "device_add"] {
            let fake = FakeMonitor(.init(), .init(forgets: [command]))
            let result = try attach(to: fake)
            #expect(result.error?.contains("is not there") == true)
            #expect(fake.end().devices.count == 2)
        }
    }

    @Test("an undo that QEMU refuses leaves the change incomplete, and says so")
    func undoRefused() throws {
        let fake = FakeMonitor(.init(), .init(refuses: ["device_add": "no", "object-del": "in use"]))
        let result = try attach(to: fake)
        #expect(result.outcome == .incomplete)
        #expect(result.error?.contains("undoing it did not finish: object-del") == true)
        _ = fake.end()
    }

    @Test(
        "a command without an answer may have been obeyed: that is said, and nothing pretended",
        arguments: ["device_add", "getfd", "object-add"])
    func noAnswer(command: String) throws {
        let fake = FakeMonitor(.init(), .init(ignores: [command]))
        let result = try attach(to: fake, timeLimit: .milliseconds(100))
        #expect(result.outcome == .incomplete)
        #expect(result.error?.contains("had no answer") == true)
        _ = fake.end()
    }

    @Test("a QEMU that ends meanwhile is told from one that refuses")
    func died() throws {
        let fake = FakeMonitor(.init(), .init(ignores: ["DIE:device_add"]))
        let result = try attach(to: fake)
        #expect(result.outcome == .incomplete)
        #expect(result.error?.contains("has QEMU ended?") == true)
        _ = fake.end()
    }

    @Test("memory that QEMU may not lock is named as what it is")
    func memory() throws {
        let reason = "vfio 0000:01:00.0: Region pc.ram: vfio_container_dma_map(0x55, 0x0, 0x2000000) = -12"
        let fake = FakeMonitor(.init(), .init(refuses: ["device_add": reason]))
        #expect(try attach(to: fake).error?.contains("prlimit --memlock") == true)
        _ = fake.end()
    }

    @Test("ids are QEMU's: a letter first, no colons")
    func ids() {
        #expect(GuestNames.device(igb) == "vfio-0000-01-00.0")
        #expect(GuestNames.isWellFormed(GuestNames.device(igb)))
        for id in ["a", "Net-0_x.1"] { #expect(GuestNames.isWellFormed(id)) }
        for id in ["", "0a", "-a", "a:b", "a b", "é", "a/b", "@a", "[a"] { #expect(!GuestNames.isWellFormed(id)) }
    }

    /// Observes, decides and acts, as the command does; /dev/null stands for the iommufd, /dev/zero for the device.
    private func attach(
        to fake: FakeMonitor, on host: HostSnapshot = host(), timeLimit: Duration = .seconds(10)
    ) throws -> ChangeResult {
        var connection = try fake.connect(timeLimit: timeLimit)
        let plan = request.plan(on: host, in: try GuestSnapshot.read(from: &connection))
        let iommufd = try OwnedDescriptor.open("/dev/null", flags: 2)
        let device = try OwnedDescriptor.open("/dev/zero", flags: 2)
        return GuestRunner(timeLimit: timeLimit, pause: { _ in })
            .run(plan, on: &connection, iommufd: iommufd, device: device)
    }
}

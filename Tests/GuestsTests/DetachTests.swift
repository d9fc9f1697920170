import Changes
import Glibc
import Guests
import Synchronization
import Testing

@Suite("Taking a device back from a running guest")
struct DetachTests {
    private let request = DetachRequest(address: igb, socket: "/run/m")
    private let id = "vfio-0000-01-00.0"

    private func machine(with more: String...) -> FakeMonitor.Machine {
        var machine = FakeMonitor.Machine()
        machine.add(id, at: "rp0")
        for other in more { machine.add(other, at: "rp1") }
        return machine
    }

    @Test("the last device takes the iommufd along")
    func last() throws {
        let fake = FakeMonitor(machine())
        #expect(try detach(from: fake) == ChangeResult(.done))
        let after = fake.end()
        #expect(after.log == ["device_del", "object-del"])
        #expect(after.objects.keys.sorted() == ["pc.ram"])
    }

    @Test("another device keeps it")
    func notLast() throws {
        let fake = FakeMonitor(machine(with: "vfio-0000-02-00.0"))
        #expect(try detach(from: fake) == ChangeResult(.done))
        #expect(fake.end().objects["vfioctl-iommufd"] == "iommufd")
    }

    @Test("a guest that has let go before QEMU answers is not waited for")
    func atOnce() throws {
        let fake = FakeMonitor(machine(), .init(guest: .letsGoBeforeTheAnswer))
        #expect(try detach(from: fake) == ChangeResult(.done))
    }

    @Test("a device that is not in the guest is no change")
    func already() throws {
        let fake = FakeMonitor()
        #expect(try detach(from: fake) == ChangeResult(.unchanged))
        #expect(fake.end().log.isEmpty)
    }

    @Test("an iommufd that an earlier detach had to leave is taken now")
    func leftOver() throws {
        var machine = machine()
        machine.devices.removeAll { $0.id == id }
        machine.taken[id] = nil
        let fake = FakeMonitor(machine)
        #expect(try detach(from: fake) == ChangeResult(.done))
        #expect(fake.end().log == ["object-del"])
    }

    @Test("a guest that refuses keeps its device, and that is the answer")
    func refusedByGuest() throws {
        let fake = FakeMonitor(machine(), .init(guest: .refuses))
        let result = try detach(from: fake)
        #expect(result.outcome == .rolledBack)
        #expect(result.error?.contains("the guest refuses to let go of it (DEVICE_UNPLUG_GUEST_ERROR)") == true)
        #expect(fake.end().log == ["device_del"])
    }

    @Test("a guest that never answers is waited for no longer than the time limit; its release stays pending")
    func neverAnswers() throws {
        let fake = FakeMonitor(machine(), .init(guest: .neverAnswers))
        let clock = ContinuousClock()
        let begun = clock.now
        let result = try detach(from: fake, timeLimit: .milliseconds(300))
        #expect(clock.now - begun >= .milliseconds(300))
        #expect(result.outcome == .incomplete)
        #expect(result.error?.contains("the guest has not answered within 0.3 s") == true)
        #expect(fake.end().log == ["device_del"])
    }

    @Test("asking again while a release is pending waits for that one")
    func askedBefore() throws {
        var machine = machine()
        machine.pending = [id]
        let fake = FakeMonitor(machine, .init(guest: .neverAnswers))
        let result = try detach(from: fake, timeLimit: .milliseconds(100))
        #expect(result.outcome == .incomplete)
        #expect(result.error?.contains("has not answered") == true)
    }

    @Test("QEMU frees a device a moment after it says so: the object is asked for again until it goes")
    func slowObject() throws {
        let fake = FakeMonitor(machine(), .init(refuses: ["object-del": "object is in use"], refusals: 3))
        #expect(try detach(from: fake) == ChangeResult(.done))
        #expect(fake.end().log == ["device_del", "object-del", "object-del", "object-del", "object-del"])
    }

    @Test("an object that does not go is said, and that the device itself is back")
    func stuckObject() throws {
        let fake = FakeMonitor(machine(), .init(refuses: ["object-del": "object is in use"]))
        let result = try detach(from: fake, timeLimit: .milliseconds(200))
        #expect(result.outcome == .incomplete)
        #expect(result.error?.contains("the device itself was taken back") == true)
    }

    @Test("back is what QEMU no longer has open")
    func held() throws {
        let closing = Mutex(3)
        let fake = FakeMonitor(machine())
        let result = try detach(from: fake) {
            closing.withLock { left in
                left -= 1
                return left > 0
            }
        }
        #expect(result == ChangeResult(.done))
        #expect(closing.withLock { $0 } == 0)

        let stuck = FakeMonitor(machine())
        let never = try detach(from: stuck, timeLimit: .milliseconds(100)) { true }
        #expect(never.outcome == .incomplete)
        #expect(never.error?.contains("QEMU still holds its descriptor") == true)
    }

    @Test("a device of QEMU's own is not taken for one of the host's")
    func otherType() {
        let guest = GuestSnapshot(version: "10.0.2", devices: ["net0": "e1000e"])
        let plan = DetachRequest(address: igb, socket: "/run/m", id: "net0").plan(in: guest)
        #expect(plan.resultWithoutRunning?.outcome == .refused)
    }

    @Test("a device that is in the guest under another id is not taken for one that is not there")
    func otherID() {
        let guest = GuestSnapshot(version: "10.0.2", devices: ["card": "vfio-pci", "rp0": "pcie-root-port"])
        let held = request.plan(in: guest, isHeld: true)
        #expect(held.resultWithoutRunning?.outcome == .refused)
        #expect(held.obstacles.first?.contains("name the --id that it has there (of card)") == true)
        #expect(request.plan(in: guest, isHeld: false).resultWithoutRunning?.outcome == .unchanged)
        #expect(request.plan(in: guest, isHeld: nil).resultWithoutRunning?.outcome == .unchanged)
        let named = DetachRequest(address: igb, socket: "/run/m", id: "card").plan(in: guest, isHeld: true)
        #expect(named.steps.map(\.action) == ["unplug"])
    }

    private func detach(
        from fake: FakeMonitor, timeLimit: Duration = .seconds(10), isHeld: @escaping @Sendable () -> Bool? = { nil }
    ) throws -> ChangeResult {
        var connection = try fake.connect(timeLimit: timeLimit)
        let plan = request.plan(in: try GuestSnapshot.read(from: &connection))
        return GuestRunner(timeLimit: timeLimit, isHeld: isHeld, pause: { _ in sched_yield() })
            .run(plan, on: &connection)
    }
}

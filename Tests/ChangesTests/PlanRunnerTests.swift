import Changes
import HostAccess
import HostSimulator
import Testing

/// The runner's promise, on a host of two devices: a plan is made whole, or leaves no trace.
@Suite("A plan is made whole, or undone")
struct PlanRunnerTests {
    static let device = "/sys/devices/pci0000:00/0000:01:00.0"

    static func host() -> SimulatedHost {
        SimulatedHost(
            files: [
                device + "/vendor": "0x8086", device + "/device": "0x10c9", device + "/class": "0x020000",
                device + "/driver_override": "(null)", device + "/uevent": "DRIVER=igb",
                "/sys/bus/pci/drivers/vfio-pci/new_id": "",
            ],
            links: [
                "/sys/bus/pci/devices/0000:01:00.0": device, device + "/driver": "/sys/bus/pci/drivers/igb",
                "/sys/bus/pci/drivers/igb/0000:01:00.0": device,
                device + "/iommu_group": "/sys/kernel/iommu_groups/1",
                "/sys/kernel/iommu_groups/1/devices/0000:01:00.0": device,
            ])
    }

    static let override = Step(
        action: "set-driver-override", device: "0000:01:00.0", directory: device,
        guards: [.link(path: "driver", name: "igb")], operations: [.write("vfio-pci", to: "driver_override")],
        goals: [.value(path: "driver_override", equals: "vfio-pci")], undo: [.write("", to: "driver_override")],
        undone: [.value(path: "driver_override", equals: "(null)")])

    static let unbind = Step(
        action: "unbind", device: "0000:01:00.0", directory: device, guards: [.link(path: "driver", name: "igb")],
        operations: [.write("0000:01:00.0", to: "driver/unbind")], goals: [.link(path: "driver", name: nil)],
        undo: [
            .write("", to: "driver_override"), .write("0000:01:00.0", to: "subsystem/drivers/igb/bind"),
        ], undone: [.link(path: "driver", name: "igb")])

    static let bind = Step(
        action: "bind", device: "0000:01:00.0", directory: device, guards: [.link(path: "driver", name: nil)],
        operations: [.write("0000:01:00.0", to: "subsystem/drivers/vfio-pci/bind")],
        goals: [.link(path: "driver", name: "vfio-pci")], undo: [.write("0000:01:00.0", to: "driver/unbind")],
        undone: [.link(path: "driver", name: nil)])

    static let plan = Plan(
        steps: [override, unbind, bind],
        origins: [Origin(key: "0000:01:00.0", identity: "8086:10c9", values: ["driver": "igb"])])

    func run(_ plan: Plan, on host: SimulatedHost) throws -> ChangeResult {
        try PlanRunner(on: host, journal: Journal(of: host)).run(plan, pid: 42)
    }

    @Test("every step is made, and the state before is remembered")
    func done() throws {
        let host = Self.host()
        #expect(try run(Self.plan, on: host).outcome == .done)
        #expect(host.linkName("/sys/bus/pci/devices/0000:01:00.0/driver") == "vfio-pci")
        #expect(try Journal(of: host).origin(of: "0000:01:00.0")?.values == ["driver": "igb"])
        #expect(try Journal(of: host).change() == nil)
    }

    @Test("made twice, it changes nothing, and the first state stays remembered")
    func twice() throws {
        let host = Self.host()
        _ = try run(Self.plan, on: host)
        var again = Self.plan
        again.steps = [Self.override]
        again.origins[0].values = ["driver": "vfio-pci", "driver_override": "vfio-pci"]
        let before = host.files()
        #expect(try run(again, on: host).outcome == .done)
        #expect(
            try Journal(of: host).origin(of: "0000:01:00.0")?.values
                == ["driver": "igb", "driver_override": "vfio-pci"])
        #expect(host.files().filter { !$0.key.hasPrefix("/run") } == before.filter { !$0.key.hasPrefix("/run") })
    }

    @Test(
        "a write that fails leaves the host as it was, whichever write it is",
        arguments: ["driver_override", "unbind", "vfio-pci/bind"], [1, 5, 13, 16, 19, 22, 28] as [Int32])
    func everyFailureIsUndone(path: String, errno: Int32) throws {
        let host = Self.host()
        let before = host.files()
        host.inject(SimulatedHost.Fault(pathSuffix: path, errno: errno))
        let result = try run(Self.plan, on: host)
        #expect(result.outcome == .rolledBack)
        #expect(result.error?.contains(path) == true)
        #expect(host.files() == before)
    }

    @Test("a write that never returns is not undone around: the journal says what is pending")
    func pending() throws {
        let host = Self.host()
        host.inject(SimulatedHost.Fault(pathSuffix: "unbind", errno: nil))
        #expect(try run(Self.plan, on: host).outcome == .incomplete)
        let change = try Journal(of: host).change()
        #expect(change?.phase == .incomplete)
        #expect(change?.step == 1)
        #expect(change?.pendingHelper != nil)
    }

    @Test("a write that succeeds without effect is a failure, found within the step's time")
    func withoutEffect() throws {
        let host = Self.host()
        let before = host.files()
        var plan = Self.plan
        plan.steps[2].goals = [.link(path: "driver", name: "another")]
        let result = try run(plan, on: host)
        #expect(result.outcome == .rolledBack)
        #expect(result.error?.contains("did not take effect") == true)
        #expect(host.files() == before)
        #expect(host.waited >= .seconds(10) && host.waited < .seconds(11))
    }

    @Test("a device that changed between looking and writing is not written to")
    func guarded() throws {
        let host = Self.host()
        var plan = Self.plan
        plan.steps[0].guards = [.value(path: "vendor", equals: "0x10de")]
        let before = host.files()
        let result = try run(plan, on: host)
        #expect(result.outcome == .rolledBack)
        #expect(result.error?.contains("vendor is 0x8086, not 0x10de") == true)
        #expect(host.files() == before)
    }

    @Test("what somebody else did meanwhile is not undone")
    func notOurs() throws {
        let host = Self.host()
        var plan = Self.plan
        // Another tool binds the device right after it was freed: the step that finds it so has nothing to undo.
        plan.steps[2].guards = [.link(path: "driver", name: "another")]
        plan.steps[2].undo = [.write("stolen", to: "driver_override")]
        plan.steps[2].undone = []
        let before = host.files()
        #expect(try run(plan, on: host).outcome == .rolledBack)
        #expect(host.files() == before)
    }

    @Test("a request to end undoes what was begun")
    func cancelled() throws {
        let host = Self.host()
        let before = host.files()
        let runner = PlanRunner(
            on: host, journal: Journal(of: host),
            isCancelled: { host.linkName("/sys/bus/pci/devices/0000:01:00.0/driver") == nil })
        let result = try runner.run(Self.plan, pid: 42)
        #expect(result.outcome == .rolledBack)
        #expect(result.error?.contains("interrupted") == true)
        #expect(host.files() == before)
    }

    @Test("a write that stays pending while undoing ends the undoing, and is recorded")
    func pendingUndo() throws {
        let host = Self.host()
        host.inject(SimulatedHost.Fault(pathSuffix: "vfio-pci/bind", errno: 16))
        host.inject(SimulatedHost.Fault(pathSuffix: "igb/bind", errno: nil))
        #expect(try run(Self.plan, on: host).outcome == .incomplete)
        #expect(try Journal(of: host).change()?.pendingHelper != nil)
    }

    @Test("an undo that fails too is told, and the journal keeps it")
    func incomplete() throws {
        let host = Self.host()
        host.inject(SimulatedHost.Fault(pathSuffix: "vfio-pci/bind", errno: 16))
        host.inject(SimulatedHost.Fault(pathSuffix: "igb/bind", errno: 5))
        let result = try run(Self.plan, on: host)
        #expect(result.outcome == .incomplete)
        #expect(result.error?.contains("igb/bind") == true)
        #expect(try Journal(of: host).change()?.phase == .incomplete)
    }

    @Test("refusals and obstacles end it before the first write")
    func refused() throws {
        let host = Self.host()
        let before = host.files()
        var plan = Self.plan
        plan.refusals = [Refusal(device: "0000:01:00.0", by: "route", detail: "eth0 has the default route")]
        #expect(try run(plan, on: host).outcome == .refused)
        plan.refusals = []
        plan.obstacles = ["group 5 would not be viable"]
        #expect(try run(plan, on: host).outcome == .refused)
        #expect(host.files() == before)
    }

    @Test("a module that is not there, before anything was changed, is a refusal and not a failure")
    func noModule() throws {
        let host = Self.host()
        let before = host.files()
        let load = Step(
            action: "load-module", device: nil, directory: "/sys/bus/pci", operations: [.module("nosuch")],
            goals: [.exists(path: "drivers/nosuch")])
        let result = try run(Plan(steps: [load] + Self.plan.steps), on: host)
        #expect(result.outcome == .refused)
        #expect(result.error?.contains("nosuch") == true)
        #expect(host.files() == before)
    }

    @Test("a journal that cannot be written stops the change before the first write")
    func journalFull() throws {
        let host = Self.host()
        let before = host.files()
        host.inject(SimulatedHost.Fault(pathSuffix: "change.json", errno: 28))
        #expect(throws: JournalError.self) { try run(Self.plan, on: host) }
        #expect(host.files() == before)
    }

    @Test("a state that cannot be remembered stops the change, and leaves no trace of one")
    func originsFull() throws {
        let host = Self.host()
        let before = host.files()
        host.inject(SimulatedHost.Fault(pathSuffix: "0000:01:00.0.json", errno: 28))
        #expect(throws: JournalError.self) { try run(Self.plan, on: host) }
        #expect(host.files() == before)
    }

    @Test("a journal that cannot be closed after the last step is told as that, and not as a refusal")
    func journalStuck() throws {
        let host = Self.host()
        // One record before each of the three steps; then it is removed.
        host.inject(SimulatedHost.Fault(pathSuffix: "change.json", errno: 30, skipping: 3))
        let result = try run(Self.plan, on: host)
        #expect(result.outcome == .incomplete)
        #expect(result.error?.contains("every step was made") == true)
        #expect(host.linkName("/sys/bus/pci/devices/0000:01:00.0/driver") == "vfio-pci")
    }

    @Test("a journal that is not ours is refused, not guessed at")
    func journalForeign() throws {
        let host = Self.host()
        try host.replaceFile("/run/vfioctl/change.json", with: Array("{\"version\":".utf8))
        #expect(throws: JournalError.self) { try Journal(of: host).change() }
    }
}

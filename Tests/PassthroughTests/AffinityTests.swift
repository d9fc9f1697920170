import Changes
import Host
import HostAccess
import HostSimulator
import PCI
import Passthrough
import Testing

@Suite("Interrupts on CPUs")
struct AffinityTests {
    func set(_ cpus: String, vector: Int? = nil, on host: SimulatedHost) throws -> ChangeResult {
        let card = try address("0000:01:00.0")
        let list = try #require(NumberList(cpus))
        return try change(host) { snapshot in
            let device = try #require(snapshot.device(at: card))
            return SetAffinity(device: card, cpus: list, vector: vector)
                .plan(on: snapshot, interrupts: InterruptSnapshot.read(from: host, of: device))
        }
    }

    func affinities(_ host: SimulatedHost) -> [String?] {
        (30...32).map { host.optionalText("/proc/irq/\($0)/smp_affinity_list") }
    }

    @Test("every vector goes to the CPU, and restore brings the old affinity back")
    func allVectors() throws {
        let host = SampleHost.make()
        let result = try set("1", on: host)
        #expect(result.outcome == .done)
        #expect(result.pending.isEmpty)
        #expect(affinities(host) == ["1", "1", "1"])

        let card = try address("0000:01:00.0")
        let origins = try Journal(of: host).origins()
        let restored = try change(host) { snapshot in
            let device = try #require(snapshot.device(at: card))
            let interrupts = InterruptSnapshot.read(from: host, of: device).interrupts
            return RestoreRequest(devices: [card], origins: origins, interrupts: [card: interrupts]).plan(on: snapshot)
        }
        #expect(restored.outcome == .done)
        #expect(affinities(host) == ["0-3", "0-3", "0-3"])
        #expect(try Journal(of: host).origins().isEmpty)
    }

    @Test("they also come back with a device that was given away meanwhile")
    func withItsDriver() throws {
        let host = SampleHost.make()
        _ = try set("1", on: host)
        let card = try address("0000:01:00.0")
        #expect(try change(host) { BindRequest(devices: [card]).plan(on: $0) }.outcome == .done)
        let origins = try Journal(of: host).origins()
        #expect(try change(host) { RestoreRequest(devices: [card], origins: origins).plan(on: $0) }.outcome == .done)
        #expect(driver(of: "0000:01:00.0", on: host) == "igb")
        #expect(affinities(host) == ["0-3", "0-3", "0-3"])
    }

    @Test("one vector, by its index")
    func oneVector() throws {
        let host = SampleHost.make()
        #expect(try set("2", vector: 1, on: host).outcome == .done)
        #expect(affinities(host) == ["0-3", "2", "0-3"])
    }

    @Test("a vector without a handler is pending while the others go")
    func noHandler() throws {
        let host = SampleHost.make()
        try host.removeFile("/proc/irq/31/smp_affinity_list")
        let result = try set("1", on: host)
        #expect(result.outcome == .done)
        #expect(result.pending.count == 1)
        #expect(affinities(host) == ["1", nil, "1"])
    }

    @Test("where no vector has a handler, it is refused, with what to do")
    func noHandlers() throws {
        let host = SampleHost.make()
        for irq in 30...32 { try host.removeFile("/proc/irq/\(irq)/smp_affinity_list") }
        let result = try set("1", on: host)
        #expect(result.outcome == .refused)
        #expect(result.error?.contains("no handler yet") == true)
    }

    @Test("a managed vector (EPERM) leaves the others as they were")
    func managed() throws {
        let host = SampleHost.make()
        host.inject(SimulatedHost.Fault(pathSuffix: "32/smp_affinity_list", errno: 1))
        let result = try set("1", on: host)
        #expect(result.outcome == .rolledBack)
        #expect(result.error?.contains("managed interrupt") == true)
        #expect(!result.notPermitted)
        #expect(affinities(host) == ["0-3", "0-3", "0-3"])
    }

    @Test("CPUs that are not there, or offline, are named before anything is written", arguments: ["4", "0-7", "3"])
    func noSuchCPU(cpus: String) throws {
        let host = SampleHost.make()
        let result = try set(cpus, on: host)
        #expect(result.outcome == .refused)
        #expect(affinities(host) == ["0-3", "0-3", "0-3"])
    }

    @Test("a vector that is not there is refused")
    func noSuchVector() throws {
        #expect(try set("1", vector: 9, on: SampleHost.make()).outcome == .refused)
    }
}

@Suite("Affinities that somebody chose, when virtual functions come and go")
struct ChosenAffinityTests {
    static let card = "0000:01:00.0"

    func create(on host: SimulatedHost) throws -> Plan {
        let card = try address(Self.card)
        let snapshot = try HostSnapshot.read(from: host)
        let device = try #require(snapshot.device(at: card))
        return CreateVirtualFunctions(physicalFunction: card, count: 2, driver: "vfio-pci")
            .plan(on: snapshot, interrupts: InterruptSnapshot.read(from: host, of: device))
    }

    func run(_ plan: Plan, on host: SimulatedHost) throws -> ChangeResult {
        try PlanRunner(on: host, journal: Journal(of: host)).run(plan, pid: 42)
    }

    /// What igb does: other numbers, all on the default CPUs.
    func allocateAnew(_ host: SimulatedHost, count: Int = 3) {
        host.replaceInterrupts(of: Self.card, with: Array(60..<60 + count), affinity: "0-3")
    }

    @Test("one that is not the default is given to the vector in its place, whatever its number is by then")
    func kept() throws {
        let host = SampleHost.make()
        try host.write("1", to: "/proc/irq/31/smp_affinity_list", timeLimit: .seconds(1))
        let plan = try create(on: host)
        #expect(plan.steps.filter { $0.action == "keep-affinity" }.count == 1)
        #expect(plan.origins.contains { $0.key == Self.card && $0.values == ["affinity.msix.1": "1"] })
        allocateAnew(host)
        #expect(try run(plan, on: host).outcome == .done)
        #expect(host.optionalText("/proc/irq/61/smp_affinity_list") == "1")
        #expect(host.optionalText("/proc/irq/60/smp_affinity_list") == "0-3")
    }

    @Test("it is also given back when the change is undone")
    func undone() throws {
        let host = SampleHost.make()
        try host.write("1", to: "/proc/irq/31/smp_affinity_list", timeLimit: .seconds(1))
        let plan = try create(on: host)
        allocateAnew(host)
        host.inject(SimulatedHost.Fault(pathSuffix: "vfio-pci/bind", errno: 16))
        #expect(try run(plan, on: host).outcome == .rolledBack)
        #expect(host.optionalText("/proc/irq/61/smp_affinity_list") == "1")
    }

    @Test("a vector that is not there for a while is pending, stays remembered, and gets it when it is back")
    func missing() throws {
        let host = SampleHost.make()
        try host.write("1", to: "/proc/irq/32/smp_affinity_list", timeLimit: .seconds(1))
        let plan = try create(on: host)
        allocateAnew(host, count: 2)
        let result = try run(plan, on: host)
        #expect(result.outcome == .done)
        #expect(result.pending.count == 1)

        let card = try address(Self.card)
        let snapshot = try HostSnapshot.read(from: host)
        let device = try #require(snapshot.device(at: card))
        let destroy = DestroyVirtualFunctions(physicalFunction: card).plan(
            on: snapshot, interrupts: InterruptSnapshot.read(from: host, of: device),
            remembered: try Journal(of: host).origin(of: Self.card))
        allocateAnew(host)
        #expect(try run(destroy, on: host).outcome == .done)
        #expect(host.optionalText("/proc/irq/62/smp_affinity_list") == "1")
        #expect(try Journal(of: host).origin(of: Self.card) == nil)
    }

    @Test("default affinities need no steps")
    func defaults() throws {
        #expect(try create(on: SampleHost.make()).steps.allSatisfy { $0.action != "keep-affinity" })
    }
}

@Suite("Lists of numbers")
struct NumberListTests {
    @Test("the kernel's format reads back in its shortest form", arguments: ["0", "0-3,8", "1,3,5-7", ""])
    func roundTrip(text: String) {
        #expect(NumberList(text)?.description == text)
    }

    @Test("what touches or overlaps is one range")
    func merged() {
        #expect(NumberList("3,1-2,2-5,9")?.description == "1-5,9")
    }

    @Test(
        "anything else is refused",
        arguments: ["1-0", "a", "1,", ",1", "0 1", "-1", "1-", "1-2-3", "99999999999999999999", "0-1048577", "+1"])
    func refused(text: String) {
        #expect(NumberList(text) == nil)
    }
}

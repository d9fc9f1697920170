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

    @Test("one vector, by its index")
    func oneVector() throws {
        let host = SampleHost.make()
        #expect(try set("2", vector: 1, on: host).outcome == .done)
        #expect(affinities(host) == ["0-3", "2", "0-3"])
    }

    @Test("a managed vector (EPERM) leaves the others as they were")
    func managed() throws {
        let host = SampleHost.make()
        host.inject(SimulatedHost.Fault(pathSuffix: "32/smp_affinity_list", errno: 1))
        #expect(try set("1", on: host).outcome == .rolledBack)
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

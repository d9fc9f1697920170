internal import PCI
internal import Testing

@testable internal import Host

/// A made-up machine, function by function: each test has as much of one as its rule needs.
private struct Machine {
    private(set) var functions: [IsolationFacts] = []

    /// Adds a function; `below` are the bridges above it, from the root down.
    mutating func add(
        _ address: String, below bridges: [String] = [], _ type: Reading<PCIExpress.PortType?> = .known(.endpoint),
        acs: Reading<ACS?> = .known(nil), multifunction: Reading<Bool> = .known(false),
        ids: (UInt16, UInt16) = (0x1af4, 1),
        group: Int? = 0, isVirtual: Bool = false
    ) {
        guard let address = PCIAddress(address) else { preconditionFailure("\(address) is no address") }
        let above = bridges.compactMap { PCIAddress($0) }
        var facts = IsolationFacts(
            address: address,
            ids: DeviceIdentity(vendorID: ids.0, deviceID: ids.1, subsystemVendorID: 0, subsystemDeviceID: 0),
            group: group, bridges: above.filter { $0.domain == address.domain }.reversed(), depth: above.count,
            controller: above.last { $0.domain != address.domain }, isVirtual: isVirtual)
        facts.type = type
        facts.isMultifunction = multifunction
        facts.isPCIBridge =
            switch type {
            case .known(let type): type == .rootPort || type == .downstreamPort || type == .upstreamPort
            case .unread: false
            }
        switch acs {
        case .known(let acs): facts.controls = .known(acs?.services)
        case .unread: facts.controls = .unread
        }
        functions.append(facts)
    }

    enum ACS {
        case on, off
        /// Nothing is controllable: all of it is wired to be on.
        case wired
        /// All but one control.
        case without(AccessControlServices.Controls)

        var services: AccessControlServices {
            switch self {
            case .on: services(.isolation, .isolation)
            case .off: services(.isolation, [])
            case .wired: services([], [])
            case .without(let control): services(.isolation, .isolation.subtracting(control))
            }
        }

        /// Made as hardware would have it: the registers of the capability.
        private func services(
            _ supported: AccessControlServices.Controls, _ enabled: AccessControlServices.Controls
        ) -> AccessControlServices {
            var bytes = [UInt8](repeating: 0, count: 0x200)
            (bytes[0x06], bytes[0x34], bytes[0x40]) = (0x10, 0x40, 0x10)
            (bytes[0x100], bytes[0x102]) = (0x0d, 1)
            (bytes[0x104], bytes[0x106]) = (UInt8(supported.rawValue), UInt8(enabled.rawValue))
            guard let services = ConfigurationSpace(bytes: bytes).accessControlServices else {
                preconditionFailure("the bytes have an ACS capability")
            }
            return services
        }
    }

    func rule(_ override: ACSOverride? = nil, amd: Bool = false) -> IsolationRule {
        IsolationRule(functions, override: override, hasAMDIOMMU: amd)
    }

    /// The groups, each as the addresses of its members without their domain, in order.
    func groups(_ override: ACSOverride? = nil, amd: Bool = false) -> [String] {
        let founders = rule(override, amd: amd).founders
        return Dictionary(grouping: founders.keys.sorted()) { founders[$0] }.values
            .map { $0.map { String($0.description.dropFirst(5)) }.joined(separator: " ") }.sorted()
    }
}

@Suite("The kernel's rule for IOMMU groups")
struct IsolationRuleTests {
    private func behindPort(_ acs: Reading<Machine.ACS?>, ids: (UInt16, UInt16) = (0x1af4, 1)) -> Machine {
        var machine = Machine()
        machine.add("00:01.0", .known(.rootPort), acs: acs, ids: ids)
        machine.add("01:00.0", below: ["00:01.0"])
        return machine
    }

    @Test("below a root port with its controls on, a device is alone; hard-wired controls are as good")
    func isolated() {
        #expect(behindPort(.known(.on)).groups() == ["00:01.0", "01:00.0"])
        #expect(behindPort(.known(.wired)).groups() == ["00:01.0", "01:00.0"])
        #expect(behindPort(.known(.on)).rule().joins.isEmpty)
    }

    @Test("below a root port without ACS, it shares the port's group")
    func noACS() throws {
        let machine = behindPort(.known(nil))
        #expect(machine.groups() == ["00:01.0 01:00.0"])
        let join = try #require(machine.rule().joins.first)
        #expect(join.cause == .port && join.via.description == "0000:00:01.0")
        #expect(join.weaknesses.map(\.weakness) == [.noControls])
    }

    @Test(
        "each of the four controls that are switched off is enough, and named",
        arguments: [
            (AccessControlServices.Controls.sourceValidation, "SrcValid"), (.requestRedirect, "ReqRedir"),
            (.completionRedirect, "CmpltRedir"), (.upstreamForwarding, "UpstreamFwd"),
        ])
    func oneControl(control: AccessControlServices.Controls, name: String) throws {
        let machine = behindPort(.known(.without(control)))
        #expect(machine.groups() == ["00:01.0 01:00.0"])
        let weakness = try #require(machine.rule().joins.first?.weaknesses.first?.weakness)
        #expect(weakness == .switchedOff(control))
        #expect(weakness.description == "has ACS, but \(name) switched off")
    }

    @Test("a switch isolates only if every downstream port does, and the root port above it too")
    func switches() throws {
        func machine(root: Machine.ACS?, first: Machine.ACS?, second: Machine.ACS?) -> Machine {
            var machine = Machine()
            machine.add("00:01.0", .known(.rootPort), acs: .known(root))
            machine.add("01:00.0", below: ["00:01.0"], .known(.upstreamPort))
            for (slot, acs) in [(0, first), (1, second)] {
                let port = "02:0\(slot).0"
                machine.add(port, below: ["00:01.0", "01:00.0"], .known(.downstreamPort), acs: .known(acs))
                machine.add("0\(slot + 3):00.0", below: ["00:01.0", "01:00.0", port])
            }
            return machine
        }
        #expect(
            machine(root: .on, first: .on, second: .on).groups() == [
                "00:01.0", "01:00.0", "02:00.0", "02:01.0", "03:00.0", "04:00.0",
            ])
        #expect(
            machine(root: .on, first: nil, second: .on).groups() == [
                "00:01.0", "01:00.0", "02:00.0 03:00.0", "02:01.0", "04:00.0",
            ])
        let open = machine(root: nil, first: .on, second: .on)
        #expect(open.groups() == ["00:01.0 01:00.0 02:00.0 02:01.0 03:00.0 04:00.0"])
        let join = try #require(open.rule().joins.first { $0.function.description == "0000:04:00.0" })
        #expect(join.weaknesses.map(\.port.description) == ["0000:00:01.0"], "the port that lacks it, however far up")
    }

    @Test("a PCIe-to-PCI bridge speaks for all that is below it, isolated itself or not")
    func bridge() throws {
        var machine = behindPort(.known(.on))
        machine.add("00:02.0", .known(.rootPort), acs: .known(.on))
        machine.add("07:00.0", below: ["00:02.0"], .known(.toPCIBridge))
        for address in ["08:01.0", "08:02.0"] { machine.add(address, below: ["00:02.0", "07:00.0"], .known(nil)) }
        machine.add("09:00.0", below: ["00:02.0", "07:00.0", "08:03.0"], .known(nil))
        #expect(machine.groups() == ["00:01.0", "00:02.0", "01:00.0", "07:00.0 08:01.0 08:02.0 09:00.0"])
        #expect(machine.rule().joins.allSatisfy { $0.cause == .bridge && $0.via.description == "0000:07:00.0" })
    }

    @Test("so does a conventional bridge, on the root bus or below")
    func conventionalBridge() {
        var machine = Machine()
        machine.add("00:1e.0", .known(nil))
        machine.add("01:00.0", below: ["00:1e.0"], .known(nil))
        #expect(machine.groups() == ["00:1e.0 01:00.0"])
    }

    private func twoFunctions(
        _ type: PCIExpress.PortType?, acs: Machine.ACS?, ids: (UInt16, UInt16) = (0x1af4, 1), multifunction: Bool = true
    ) -> Machine {
        var machine = Machine()
        machine.add("00:01.0", .known(.rootPort), acs: .known(.on))
        for function in 0...1 {
            machine.add(
                "04:00.\(function)", below: ["00:01.0"], .known(type), acs: .known(acs),
                multifunction: .known(multifunction), ids: ids)
        }
        return machine
    }

    @Test("functions of one device without ACS share a group, PCI Express or not; with ACS they do not")
    func multifunction() throws {
        let together = ["00:01.0", "04:00.0 04:00.1"]
        for type in [PCIExpress.PortType.endpoint, .legacyEndpoint, .rootComplexIntegratedEndpoint, nil] {
            #expect(twoFunctions(type, acs: nil).groups() == together)
        }
        #expect(twoFunctions(.endpoint, acs: .off).groups() == together)
        #expect(twoFunctions(.endpoint, acs: .on).groups() == ["00:01.0", "04:00.0", "04:00.1"])
        let join = try #require(twoFunctions(nil, acs: nil).rule().joins.first)
        #expect(join.cause == .functions && join.weaknesses.map(\.weakness) == [.conventional, .conventional])
    }

    @Test("one isolated function does not join its siblings, nor they it")
    func oneIsolatedFunction() {
        var machine = Machine()
        for (function, acs) in [nil, Machine.ACS.on, nil].enumerated() {
            machine.add("00:14.\(function)", .known(.endpoint), acs: .known(acs), multifunction: .known(true))
        }
        #expect(machine.groups() == ["00:14.0 00:14.2", "00:14.1"])
    }

    @Test("functions in different slots of a bus are not one device")
    func slots() {
        var machine = Machine()
        for slot in 1...2 { machine.add("00:0\(slot).0", .known(nil), multifunction: .known(true)) }
        #expect(machine.groups() == ["00:01.0", "00:02.0"])
    }

    @Test("root ports that are functions of one device share a group with all that is below them")
    func multifunctionPorts() {
        var machine = Machine()
        for function in 0...1 {
            machine.add("00:1c.\(function)", .known(.rootPort), multifunction: .known(true))
            machine.add("0\(function + 1):00.0", below: ["00:1c.\(function)"])
        }
        #expect(machine.groups() == ["00:1c.0 00:1c.1 01:00.0 02:00.0"])
    }

    @Test("virtual functions are alone, also on buses that have no bridge of their own")
    func virtualFunctions() {
        var machine = Machine()
        machine.add("00:01.0", .known(.rootPort), acs: .known(.on))
        machine.add("01:00.0", below: ["00:01.0"])
        for address in ["01:10.0", "01:10.2", "02:10.0"] { machine.add(address, below: ["00:01.0"], isVirtual: true) }
        #expect(machine.groups().count == 5)
    }

    @Test(
        "models that the kernel knows to isolate do, whatever their registers say",
        arguments: [(UInt16(0x8086), UInt16(0x10c9)), (0x14e4, 0x1750), (0x1924, 0x0a03)])
    func knownEndpoints(vendor: UInt16, device: UInt16) {
        #expect(twoFunctions(.endpoint, acs: nil, ids: (vendor, device)).groups().count == 3)
    }

    @Test(
        "root ports of chipsets that isolate without an ACS capability",
        arguments: [
            (UInt16(0x8086), UInt16(0x8c10)), (0x8086, 0x1d1e), (0x177d, 0xa123), (0x1def, 0xe005), (0x1d17, 0x0721),
        ])
    func knownPorts(vendor: UInt16, device: UInt16) {
        #expect(behindPort(.known(nil), ids: (vendor, device)).groups() == ["00:01.0", "01:00.0"])
        #expect(behindPort(.known(nil), ids: (vendor, 0x0001)).groups() == ["00:01.0 01:00.0"])
    }

    @Test("Intel's integrated endpoints isolate, its conventional functions beside them do not")
    func integratedEndpoints() {
        var machine = Machine()
        for (function, type) in [PCIExpress.PortType?.none, .none, .rootComplexIntegratedEndpoint].enumerated() {
            machine.add("00:14.\(function)", .known(type), multifunction: .known(true), ids: (0x8086, 0x51ed))
        }
        #expect(machine.groups() == ["00:14.0 00:14.1", "00:14.2"])
    }

    @Test("AMD's southbridge isolates beside AMD's IOMMU")
    func southbridge() {
        var machine = Machine()
        for function in 0...1 {
            machine.add("00:14.\(function)", .known(nil), multifunction: .known(true), ids: (0x1002, 0x4385))
        }
        #expect(machine.groups(amd: true) == ["00:14.0", "00:14.1"])
        #expect(machine.groups() == ["00:14.0 00:14.1"])
    }

    @Test("chipsets that have the control register two bytes too far are read there")
    func displacedControls() {
        for (controls, count) in [(AccessControlServices.Controls.isolation, 2), ([], 1)] {
            var machine = Machine()
            machine.add("00:1c.0", .known(.rootPort), acs: .known(.off), ids: (0x8086, 0xa110))
            machine.add("01:00.0", below: ["00:1c.0"])
            var functions = machine.functions
            functions[0].displacedControls = controls
            let founders = IsolationRule(functions, override: nil, hasAMDIOMMU: false).founders
            #expect(Set(founders.values).count == count)
        }
    }

    @Test("a device whose DMA carries another's requester id shares its group")
    func aliases() throws {
        // ACS between the functions does not help: this one speaks as function 1.
        let marvell = twoFunctions(.endpoint, acs: .on, ids: (0x1b4b, 0x9123))
        #expect(marvell.groups() == ["00:01.0", "04:00.0 04:00.1"])
        let join = try #require(marvell.rule().joins.first)
        #expect(join.cause == .alias && join.via.description == "0000:04:00.0")
        let ricoh = twoFunctions(.endpoint, acs: .on, ids: (0x1180, 0xe832))
        #expect(ricoh.rule().joins.first?.via.description == "0000:04:00.1")
        var ghost = Machine()
        ghost.add("00:01.0", .known(.endpoint), ids: (0x1b4b, 0x9123))
        #expect(ghost.groups() == ["00:01.0"], "the function that it speaks as may not exist")
    }

    @Test("below a VMD controller everything speaks as the controller")
    func controller() {
        var machine = Machine()
        machine.add("0000:00:0e.0", .known(.rootComplexIntegratedEndpoint), ids: (0x8086, 0x9a0b))
        machine.add("10000:e0:06.0", below: ["0000:00:0e.0"], .known(.rootPort), acs: .known(.on))
        machine.add("10000:e1:00.0", below: ["0000:00:0e.0", "10000:e0:06.0"])
        #expect(Set(machine.rule().founders.values).count == 1)
        #expect(machine.rule().joins.allSatisfy { $0.cause == .controller })
    }

    @Test("a function that no IOMMU covers has no group, and puts nothing into one")
    func uncovered() {
        var machine = Machine()
        machine.add("00:1c.0", .known(.rootPort), group: nil)
        machine.add("01:00.0", below: ["00:1c.0"])
        machine.add("02:00.0", below: ["00:1c.0"])
        #expect(machine.groups() == ["01:00.0", "02:00.0"])
    }

    @Test("what was not read is taken to be as the kernel's groups imply, and said")
    func unread() throws {
        for (group, count) in [(7, 1), (8, 2)] {
            var machine = Machine()
            machine.add("00:01.0", .unread, acs: .unread, group: 7)
            machine.add("01:00.0", below: ["00:01.0"], .unread, acs: .unread, multifunction: .unread, group: group)
            let rule = machine.rule()
            #expect(Set(rule.founders.values).count == count)
            let port = try #require(PCIAddress("00:01.0"))
            #expect(rule.joins.flatMap(\.unread) == (count == 1 ? [port] : []))
            #expect(rule.assumedApart.values.flatMap(\.self) == (count == 1 ? [] : [port]))
        }
    }

    // MARK: pcie_acs_override=

    @Test("the override is read from the kernel's arguments")
    func overrideArgument() throws {
        #expect(ACSOverride(arguments: ["quiet", "pcie_acs=x"]) == nil)
        let override = try #require(
            ACSOverride(arguments: ["quiet", "pcie_acs_override=downstream,multifunction,id:8086:1c10,id:x:y"]))
        #expect(override.downstream && override.multifunction && override.models == [0x8086_1c10])
    }

    @Test("it speaks for functions without the capability, and for no others")
    func override() throws {
        let downstream = try #require(ACSOverride(arguments: ["pcie_acs_override=downstream"]))
        let multifunction = try #require(ACSOverride(arguments: ["pcie_acs_override=multifunction"]))
        let model = try #require(ACSOverride(arguments: ["pcie_acs_override=id:1af4:0001"]))
        #expect(behindPort(.known(nil)).groups(downstream).count == 2)
        #expect(behindPort(.known(nil)).groups(model).count == 2)
        #expect(behindPort(.known(nil)).groups(multifunction).count == 1)
        #expect(behindPort(.known(.off)).groups(downstream).count == 1, "what has the capability is believed")
        #expect(twoFunctions(.endpoint, acs: nil).groups(multifunction).count == 3)
        #expect(twoFunctions(.endpoint, acs: nil).groups(downstream).count == 2)
        #expect(twoFunctions(nil, acs: nil).groups(multifunction).count == 2, "conventional PCI is left alone")
    }
}

internal import HostAccess
internal import PCI
internal import TestSupport
internal import Testing

@testable internal import Host

@Suite("Why groups are as they are")
struct IsolationTests {
    let tree = TemporaryDirectory()

    enum Kind: UInt8 {
        case endpoint = 0x00
        case rootPort = 0x41
        case toPCIBridge = 0x70
        case conventional = 0xff
    }

    /// A function of the captured host: its way from the root bus, its configuration space, its group.
    func function(
        _ path: String, _ kind: Kind, group: Int, acs: (supported: UInt8, enabled: UInt8)? = nil,
        multifunction: Bool = false,
        size: Int = 4096, node: Int = -1, slot: UInt8 = 0, ids: String = "1AF4:0001", serial: [UInt8]? = nil
    ) {
        let address = String(path.split(separator: "/").last ?? "")
        let home = "sys/devices/pci0000:00/\(path)"
        let isBridge = kind == .rootPort || kind == .toPCIBridge
        tree.file(
            "\(home)/uevent", "PCI_CLASS=\(isBridge ? "60400" : "20000")\nPCI_ID=\(ids)\nPCI_SUBSYS_ID=0000:0000\n")
        tree.file("\(home)/numa_node", "\(node)\n")
        tree.link("sys/bus/pci/devices/\(address)", to: "../../../devices/pci0000:00/\(path)")
        let up = path.split(separator: "/").map { _ in "../" }.joined()
        tree.link("\(home)/iommu_group", to: "../../\(up)kernel/iommu_groups/\(group)")

        var bytes = [UInt8](repeating: 0, count: 4096)
        bytes[0x0e] = (isBridge ? 1 : 0) | (multifunction ? 0x80 : 0)
        if kind != .conventional {
            (bytes[0x06], bytes[0x34], bytes[0x40], bytes[0x42]) = (0x10, 0x40, 0x10, kind.rawValue | 2)
            // A port's slot, and its number.
            bytes[0x43] = kind == .rootPort ? 1 : 0
            (bytes[0x42], bytes[0x56]) = (kind.rawValue & 0xf0 | 2, slot << 3)
        }
        if let acs { (bytes[0x100], bytes[0x102], bytes[0x104], bytes[0x106]) = (0x0d, 1, acs.supported, acs.enabled) }
        if let serial {
            (bytes[0x100], bytes[0x102]) = (0x03, 1)
            bytes.replaceSubrange(0x104..<0x10c, with: serial)
        }
        tree.file("\(home)/config", bytes: Array(bytes.prefix(size)))
    }

    func host() throws -> (host: CapturedDirectory, snapshot: HostSnapshot) {
        let host = try CapturedDirectory(tree.path)
        return (host, try HostSnapshot.read(from: host))
    }

    func isolation() throws -> Isolation {
        let (host, snapshot) = try host()
        return snapshot.isolation(on: host)
    }

    static let on: (UInt8, UInt8) = (0x1d, 0x1d)

    @Test("a device alone in its group needs no reason")
    func alone() throws {
        function("0000:00:01.0", .rootPort, group: 1, acs: Self.on)
        function("0000:00:01.0/0000:01:00.0", .endpoint, group: 2)
        for group in try isolation().groups {
            #expect(group.agreement == .computed && group.causes.isEmpty && group.remedies.isEmpty)
        }
    }

    @Test("a port with its controls off is named with them, and the argument that switches them on")
    func controlsOff() throws {
        function("0000:00:01.0", .rootPort, group: 1, acs: (0x1d, 0x11))
        function("0000:00:01.0/0000:01:00.0", .endpoint, group: 1, multifunction: true)
        function("0000:00:01.0/0000:01:00.1", .endpoint, group: 1)
        let group = try #require(try isolation().group(1))
        #expect(group.agreement == .computed)
        #expect(
            group.causes.map(\.description).first
                == "0000:00:01.0 has ACS, but ReqRedir, CmpltRedir switched off: what is below 0000:00:01.0 could be reached "
                + "without passing the IOMMU: 0000:01:00.0, 0000:01:00.1")
        #expect(group.together.map(\.description) == ["0000:01:00.0", "0000:01:00.1"])
        let argument = try #require(group.remedies.first { $0.way == .kernelArgument })
        #expect(argument.detail.contains("pci=config_acs=11xx@0000:00:01.0"))
        tree.file("proc/cmdline", "quiet pci=noaer,disable_acs_redir=0000:00:01.0\n")
        #expect(
            try isolation().group(1)?.remedies.first { $0.way == .kernelArgument }?.detail
                == "pci=noaer,disable_acs_redir=0000:00:01.0 among the kernel's arguments switches access controls off: take "
                + "it out")
    }

    @Test("a PCIe-to-PCI bridge is named, and a free slot that isolates, the nearest node's first")
    func bridge() throws {
        function("0000:00:01.0", .rootPort, group: 1, acs: Self.on)
        function("0000:00:01.0/0000:01:00.0", .toPCIBridge, group: 2)
        function("0000:00:01.0/0000:01:00.0/0000:02:01.0", .conventional, group: 2, node: 1)
        function("0000:00:01.0/0000:01:00.0/0000:02:02.0", .conventional, group: 2, node: 1)
        function("0000:00:02.0", .rootPort, group: 3, acs: Self.on, node: 0, slot: 4)
        function("0000:00:03.0", .rootPort, group: 4, acs: Self.on, node: 1, slot: 5)
        function("0000:00:04.0", .rootPort, group: 5, acs: Self.on, node: 1, slot: 6)
        function("0000:00:04.0/0000:05:00.0", .endpoint, group: 6)
        function("0000:00:05.0", .rootPort, group: 7)
        let group = try #require(try isolation().group(2))
        #expect(group.agreement == .computed)
        #expect(group.causes.map(\.kind) == [.bridge])
        #expect(group.causes[0].description.hasPrefix("0000:01:00.0 is a PCIe-to-PCI bridge: "))
        #expect(group.together.map(\.description) == ["0000:02:01.0", "0000:02:02.0"])
        #expect(
            group.remedies.map(\.detail) == [
                "the slot below 0000:00:03.0 (slot 5, node 1, free)",
                "the slot below 0000:00:02.0 (slot 4, node 0, free)",
            ], "neither the one that is taken, nor the one below a port without ACS")
    }

    @Test("where no slot is free, those that are taken are told")
    func takenSlots() throws {
        function("0000:00:01.0", .rootPort, group: 1)
        function("0000:00:01.0/0000:01:00.0", .endpoint, group: 1, multifunction: true)
        function("0000:00:01.0/0000:01:00.1", .endpoint, group: 1)
        function("0000:00:04.0", .rootPort, group: 5, acs: Self.on, slot: 6)
        function("0000:00:04.0/0000:05:00.0", .endpoint, group: 6)
        let slots = try #require(try isolation().group(1)?.remedies.filter { $0.way == .slot })
        #expect(slots.map(\.detail) == ["the slot below 0000:00:04.0 (slot 6, node unknown, now 0000:05:00.0)"])
    }

    @Test("functions of one device cannot be parted by a slot")
    func functions() throws {
        function("0000:00:01.0", .rootPort, group: 1, acs: Self.on)
        function("0000:00:01.0/0000:01:00.0", .endpoint, group: 2, multifunction: true)
        function("0000:00:01.0/0000:01:00.1", .endpoint, group: 2)
        function("0000:00:03.0", .rootPort, group: 4, acs: Self.on)
        let group = try #require(try isolation().group(2))
        #expect(
            group.causes.map(\.description) == [
                "0000:01:00.0, 0000:01:00.1 are functions of one device without ACS between them (each has no access controls "
                    + "(ACS)): they could reach each other inside it"
            ])
        #expect(group.remedies.map(\.way) == [.device])
    }

    @Test("a kernel that has together what nothing puts together, or apart what should be one, is not explained away")
    func unexplained() throws {
        function("0000:00:01.0", .rootPort, group: 1, acs: Self.on)
        function("0000:00:01.0/0000:01:00.0", .endpoint, group: 1)
        function("0000:00:02.0", .rootPort, group: 2)
        function("0000:00:02.0/0000:02:00.0", .endpoint, group: 3)
        let isolation = try isolation()
        #expect(isolation.groups.map(\.agreement) == [.unexplained, .unexplained, .unexplained])
        #expect(
            isolation.group(1)?.differences == [
                "nothing that could be read puts these together: 0000:00:01.0 | 0000:01:00.0"
            ])
        #expect(
            isolation.group(3)?.differences == [
                "by the rule these would be in it as well, and the kernel has them apart: 0000:00:02.0"
            ])
        #expect(isolation.group(3)?.causes == [], "what would be a reason is none for this group")
    }

    @Test(
        "with 64 bytes of configuration space the reasons are what the groups imply, and it is said whose were not read"
    )
    func withoutPrivileges() throws {
        function("0000:00:01.0", .rootPort, group: 1, size: 64)
        function("0000:00:01.0/0000:01:00.0", .endpoint, group: 1, size: 64)
        function("0000:00:02.0", .rootPort, group: 2, size: 64)
        function("0000:00:02.0/0000:02:00.0", .endpoint, group: 3, size: 64)
        let isolation = try isolation()
        #expect(isolation.group(1)?.agreement == .assumed)
        #expect(isolation.group(1)?.unread.map(\.description) == ["0000:00:01.0"])
        #expect(isolation.group(1)?.causes.first?.description.contains("could not be read") == true)
        #expect(isolation.group(3)?.agreement == .assumed)
        #expect(isolation.group(3)?.unread.map(\.description) == ["0000:00:02.0"])
    }

    @Test("only what decides groups is read: no endpoint that is alone in its slot and its group")
    func reading() throws {
        function("0000:00:01.0", .rootPort, group: 1, acs: Self.on)
        function("0000:00:01.0/0000:01:00.0", .endpoint, group: 2)
        function("0000:00:02.0", .endpoint, group: 3, multifunction: true)
        function("0000:00:02.1", .endpoint, group: 3)
        #expect(
            try host().snapshot.devicesThatDecideGroups.map(\.description) == [
                "0000:00:01.0", "0000:00:02.0", "0000:00:02.1",
            ])
    }

    // MARK: pcie_acs_override=

    @Test("isolation by pcie_acs_override= is claimed, and who would share a group is said")
    func claimed() throws {
        function("0000:00:01.0", .rootPort, group: 1)
        function("0000:00:01.0/0000:01:00.0", .endpoint, group: 2)
        tree.file("proc/cmdline", "quiet pcie_acs_override=downstream\n")
        let isolation = try isolation()
        #expect(isolation.override?.argument == "pcie_acs_override=downstream" && isolation.isOverrideObeyed)
        #expect(isolation.groups.map(\.agreement) == [.computed, .computed])
        let claim = try #require(isolation.group(2)?.claimed.first)
        #expect(claim.group == 1 && claim.devices.map(\.description) == ["0000:00:01.0"])
        #expect(claim.causes.first?.weaknesses.map(\.weakness) == [.noControls])
    }

    @Test("a kernel that does not know the argument is not believed to obey it")
    func ignoredOverride() throws {
        function("0000:00:01.0", .rootPort, group: 1)
        function("0000:00:01.0/0000:01:00.0", .endpoint, group: 1)
        tree.file("proc/cmdline", "pcie_acs_override=downstream,multifunction\n")
        let isolation = try isolation()
        #expect(!isolation.isOverrideObeyed)
        #expect(isolation.groups.map(\.agreement) == [.computed])
        #expect(isolation.groups.flatMap(\.claimed) == [])
    }

    @Test("a slot that isolates by claim alone is not offered")
    func claimedSlot() throws {
        function("0000:00:01.0", .rootPort, group: 1)
        function("0000:00:01.0/0000:01:00.0", .toPCIBridge, group: 2)
        function("0000:00:01.0/0000:01:00.0/0000:02:01.0", .conventional, group: 2)
        function("0000:00:01.0/0000:01:00.0/0000:02:02.0", .conventional, group: 2)
        function("0000:00:03.0", .rootPort, group: 3)
        tree.file("proc/cmdline", "pcie_acs_override=downstream\n")
        #expect(try isolation().group(2)?.remedies == [])
    }

    // MARK: the IOMMU

    @Test("the unit in front of a group, and the width of its addresses")
    func units() throws {
        function("0000:00:02.0", .endpoint, group: 3)
        tree.directory("sys/class/iommu/dmar1/devices/0000:00:02.0")
        tree.file("sys/class/iommu/dmar1/intel-iommu/cap", "d2008c40660462\n")
        let unit = try #require(try isolation().group(3)?.iommu)
        #expect(unit.name == "dmar1" && unit.addressBits == 39)
    }

    @Test(
        "Intel's width is the smaller of its limit and its page tables'; AMD's follows from its levels",
        arguments: [
            (UInt64(0xd2_008c_4066_0462), Int?(39)), (0x2f_0400, 48), (0x38_0e00, 57), (0x26_0600, 39),
            (0x2f_0000, nil),
        ])
    func intelWidth(capability: UInt64, bits: Int?) {
        #expect(IOMMUUnit.intelAddressBits(capability: capability) == bits)
    }

    @Test("AMD's width follows from the levels of its page tables")
    func amdWidth() throws {
        for (features, bits) in [("246577efa2254afa:0", Int?(64)), ("c00:10", nil), ("400:0", 57), ("0", 48)] {
            tree.file("sys/class/iommu/ivhd0/amd-iommu/features", features + "\n")
            let unit = try #require(try host().snapshot.iommus.first)
            #expect(unit.isAMD && unit.addressBits == bits)
        }
    }

    @Test("a unit that does not say its width has none")
    func unknownWidth() throws {
        tree.directory("sys/bus/pci/devices")
        tree.directory("sys/class/iommu/smmu3.0x0000000009050000/devices")
        #expect(
            try host().snapshot.iommus == [IOMMUUnit(name: "smmu3.0x0000000009050000", devices: [])])
    }

    // MARK: serial numbers

    @Test("a serial number is part of the identity where it may be read, and decides when it is asked for")
    func serials() throws {
        function("0000:00:02.0", .endpoint, group: 3, serial: [1, 0, 0xff, 0xff, 0xff, 0, 0x54, 0x52])
        function("0000:00:03.0", .endpoint, group: 4, size: 64)
        var (host, snapshot) = try host()
        let plain = try #require(snapshot.stableIdentity(of: snapshot.devices[0])).description
        #expect(plain == "0000:00/02.0-1af4:0001-0000:0000", "nobody asked for it")
        snapshot.readSerialNumbers(of: snapshot.devices.map(\.address), from: host)
        let full = snapshot.devices.map { snapshot.stableIdentity(of: $0)?.description }
        #expect(full == [plain + "-sn525400ffffff0001", "0000:00/03.0-1af4:0001-0000:0000"])
        let (_, fresh) = try self.host()
        #expect(try DeviceSelector(full[0] ?? "").devices(in: fresh, on: host).count == 1)
        #expect(try DeviceSelector(plain).devices(in: fresh, on: host).count == 1)
        #expect(throws: DeviceSelectionError.self) {
            try DeviceSelector(plain + "-sn525400ffffff0002").devices(in: fresh, on: host)
        }
        #expect(
            try DeviceSelector("0000:00/03.0-1af4:0001-0000:0000-sn0000000000000001").devices(in: fresh, on: host).count
                == 1, "who may not read it cannot compare it")
        tree.file("sys/devices/pci0000:00/0000:00:02.0/power_state", "D3cold\n")
        (host, snapshot) = try self.host()
        snapshot.readSerialNumbers(of: snapshot.devices.map(\.address), from: host)
        #expect(snapshot.devices[0].serialNumber == nil, "no device is woken for it")
    }
}

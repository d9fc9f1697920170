internal import Host
internal import HostAccess
internal import PCI
internal import TestSupport
internal import Testing

@Suite("A host is read into a snapshot")
struct SnapshotReaderTests {
    let tree = TemporaryDirectory()
    static let home = "sys/devices/pci0000:00"

    func snapshot(_ parts: HostSnapshot.Parts = .all) throws -> HostSnapshot {
        try HostSnapshot.read(from: CapturedDirectory(tree.path), parts: parts)
    }

    /// The one device of the tree.
    func device() throws -> Device { try #require(try snapshot().devices.first) }

    /// A function as sysfs shows it; nil takes a file away.
    func function(_ address: String = "0000:01:00.0", _ changes: [String: String?] = [:], driver: String? = "igb") {
        var files: [String: String?] = [
            "vendor": "0x8086\n", "device": "0x10c9\n", "subsystem_vendor": "0x1af4\n", "subsystem_device": "0x1100\n",
            "class": "0x020000\n", "revision": "0x01\n", "numa_node": "1\n", "driver_override": "(null)\n",
            "uevent": (driver.map { "DRIVER=\($0)\n" } ?? "")
                + "PCI_CLASS=20000\nPCI_ID=8086:10C9\nPCI_SUBSYS_ID=1AF4:1100\nPCI_SLOT_NAME=\(address)\n",
        ]
        files.merge(changes) { $1 }
        tree.directory("\(Self.home)/\(address)")
        for (name, content) in files {
            if let content { tree.file("\(Self.home)/\(address)/\(name)", content) }
        }
        tree.link("sys/bus/pci/devices/\(address)", to: "../../../devices/pci0000:00/\(address)")
        if let driver {
            tree.directory("sys/bus/pci/drivers/\(driver)")
            tree.link("\(Self.home)/\(address)/driver", to: "../../../bus/pci/drivers/\(driver)")
        }
    }

    @Test("a device has its ids, class, driver, node and group")
    func ordinary() throws {
        function()
        tree.link(Self.home + "/0000:01:00.0/iommu_group", to: "../../../kernel/iommu_groups/12")
        let device = try device()
        #expect(
            device.identity
                == DeviceIdentity(
                    vendorID: 0x8086, deviceID: 0x10c9, subsystemVendorID: 0x1af4, subsystemDeviceID: 0x1100))
        #expect(device.classID == 0x020000)
        #expect(device.revision == 1)
        #expect(device.driver == "igb")
        #expect(device.driverOverride == nil)
        #expect(device.numaNode == 1)
        #expect(device.iommuGroup == 12)
        #expect(device.problems == [])
        #expect(try snapshot().drivers == ["igb"])
        #expect(try snapshot().notes == [])
    }

    @Test("without uevent the single attributes say the same")
    func singleAttributes() throws {
        function("0000:01:00.0", ["uevent": nil])
        let fromAttributes = try device()
        function()
        #expect(try device() == fromAttributes)
    }

    @Test("a uevent that was cut is believed as far as its last whole line")
    func cutEvent() throws {
        function("0000:01:00.0", ["uevent": "DRIVER=igb\nPCI_CLASS=20000\nPCI_ID=8086:10", "device": "0x1521\n"])
        #expect(try device().identity.deviceID == 0x1521)
        #expect(try device().problems == [])
    }

    @Test("the configuration header is read only where there is nothing else")
    func configurationHeader() throws {
        let header = "\u{01}\u{02}\u{03}\u{04}\0\0\0\0\u{05}\u{10}\u{11}\u{12}\0\0\0\0"
        function("0000:01:00.0", ["config": header])
        #expect(try device().identity.vendorID == 0x8086)

        let other = Self.home + "/0000:02:00.0"
        tree.file(other + "/config", header)
        tree.link("sys/bus/pci/devices/0000:02:00.0", to: "../../../devices/pci0000:00/0000:02:00.0")
        let device = try #require(try snapshot().devices.last)
        #expect(device.identity.vendorID == 0x0201 && device.identity.deviceID == 0x0403)
        #expect(device.classID == 0x121110 && device.revision == 5)
        #expect(device.problems == [])
    }

    @Test(
        "an attribute that makes no sense is a problem of its device, and nothing else is lost",
        arguments: [
            ("numa_node", "garbage\n", "numa_node is 'garbage', no number"),
            ("numa_node", "", "numa_node is empty, no number"),
            ("numa_node", "-2\n", "numa_node is '-2', no node's number"),
            ("numa_node", "99999999999999999999999\n", "no number"),
            ("revision", "0x\n", "revision is '0x', no number of 2 hexadecimal digits"),
            ("revision", "\u{1b}[31m", "revision is '\\x1b[31m', no number of 2 hexadecimal digits"),
            ("sriov_totalvfs", "many\n", "sriov_totalvfs is 'many', no number"),
        ])
    func nonsense(name: String, content: String, problem: String) throws {
        function("0000:01:00.0", [name: content])
        let device = try device()
        #expect(device.problems.count == 1)
        #expect(device.problems.first?.contains(problem) == true, "\(device.problems)")
        #expect(device.driver == "igb")
        #expect(device.identity.vendorID == 0x8086)
    }

    @Test(
        "ids and class without a uevent",
        arguments: [
            ("class", Optional(""), "class is empty, no number of 6 hexadecimal digits"),
            ("class", "0x0200\n", "class is '0x0200', no number of 6 hexadecimal digits"),
            ("class", nil, "class is missing"),
            ("vendor", "0x80\n", "vendor is '0x80', no number of 4 hexadecimal digits"),
            ("device", nil, "device is missing"),
        ])
    func nonsenseIDs(name: String, content: String?, problem: String) throws {
        function("0000:01:00.0", ["uevent": nil, name: content])
        #expect(try device().problems == [problem])
    }

    @Test("a node of -1 is no node, and no problem")
    func noNode() throws {
        function("0000:01:00.0", ["numa_node": "-1\n"])
        #expect(try device().numaNode == nil)
        #expect(try device().problems == [])
    }

    @Test("a driver link that leads nowhere is no driver, and a problem that names it")
    func danglingDriver() throws {
        function()
        function("0000:02:00.0", driver: nil)
        tree.link(Self.home + "/0000:02:00.0/driver", to: "../../../bus/pci/drivers/gone")
        let device = try #require(try snapshot().devices.last)
        #expect(device.driver == nil)
        #expect(device.problems == ["driver leads to 'gone', and there is no such driver"])
    }

    @Test("an unbind that waits for a holder shows as pending: uevent names a driver that no link does")
    func pendingRemoval() throws {
        function("0000:01:00.0", ["uevent": "DRIVER=vfio-pci\nPCI_CLASS=20000\nPCI_ID=8086:10C9\n"], driver: nil)
        #expect(try device().driver == nil)
        #expect(try device().problems.first?.contains("vfio-pci is still pending") == true)
    }

    @Test("virtual functions know their physical function and index, in order of the index")
    func virtualFunctions() throws {
        function(
            "0000:01:00.0",
            [
                "sriov_totalvfs": "7\n", "sriov_offset": "128\n", "sriov_stride": "2\n",
                "sriov_drivers_autoprobe": "0\n",
            ])
        for index in 0..<11 {
            let address = "0000:02:\(index < 8 ? "10" : "11").\(index % 8)"
            function(address, driver: nil)
            tree.link("\(Self.home)/0000:01:00.0/virtfn\(index)", to: "../" + address)
            tree.link("\(Self.home)/\(address)/physfn", to: "../0000:01:00.0")
        }
        let snapshot = try snapshot()
        let sriov = try #require(snapshot.devices[0].sriov)
        #expect(sriov.virtualFunctions == snapshot.devices.dropFirst().map(\.address))
        #expect(sriov.totalVFs == 7 && sriov.offset == 128 && sriov.stride == 2 && sriov.driversAutoprobe == false)
        #expect(snapshot.devices.dropFirst().map(\.vfIndex) == Array(0..<11))
        #expect(snapshot.devices.dropFirst().allSatisfy { $0.physicalFunction == snapshot.devices[0].address })
        #expect(snapshot.devices.allSatisfy { $0.problems.isEmpty })
    }

    @Test("interfaces and disks are found on the function they sit on, however far below it")
    func classDevices() throws {
        function()
        function("0000:02:00.0", driver: "nvme")
        tree.link("sys/class/net/eth0", to: "../../devices/pci0000:00/0000:01:00.0/net/eth0")
        tree.link("sys/class/net/eth0.5", to: "../../devices/virtual/net/eth0.5")
        tree.link("sys/block/sda", to: "../devices/pci0000:00/0000:01:00.0/usb1/1-1/host0/0:0:0:0/block/sda")
        tree.link("sys/block/nvme0c3n1", to: "../devices/pci0000:00/0000:02:00.0/nvme/nvme3/nvme0c3n1")
        tree.link("sys/block/nvme0n1", to: "../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1")
        tree.link("sys/block/dm-0", to: "../devices/virtual/block/dm-0")
        let snapshot = try snapshot()
        #expect(snapshot.devices[0].interfaces == ["eth0"])
        #expect(snapshot.devices[0].blockDevices == ["sda"])
        #expect(snapshot.devices[1].blockDevices == ["nvme0n1"], "the disk that is used, not the hidden path to it")
        #expect(snapshot.otherInterfaces == ["eth0.5"])
        #expect(snapshot.otherBlockDevices == ["dm-0"])
    }

    @Test("a device bound to a VFIO driver has its nodes")
    func vfioNodes() throws {
        function(driver: "vfio-pci")
        tree.link(Self.home + "/0000:01:00.0/iommu_group", to: "../../../kernel/iommu_groups/12")
        tree.directory(Self.home + "/0000:01:00.0/vfio-dev/vfio3")
        #expect(try device().vfio == VFIONodes(group: "/dev/vfio/12", cdev: "/dev/vfio/devices/vfio3"))
    }

    @Test("groups have their members and reserved regions, also a group without PCI devices")
    func groups() throws {
        function()
        tree.link(Self.home + "/0000:01:00.0/iommu_group", to: "../../../kernel/iommu_groups/12")
        tree.directory("sys/kernel/iommu_groups/3")
        tree.file(
            "sys/kernel/iommu_groups/12/reserved_regions",
            "0x00000000000a0000 0x00000000000bffff direct-relaxable\n0x00000000fee00000 0x00000000feefffff msi\nx y\n")
        let groups = try snapshot().groups
        #expect(groups.map(\.id) == [3, 12])
        #expect(groups.map(\.devices.count) == [0, 1])
        #expect(
            groups[1].reserved == [
                ReservedRegion(start: 0xa0000, end: 0xbffff, type: "direct-relaxable"),
                ReservedRegion(start: 0xfee0_0000, end: 0xfeef_ffff, type: "msi"),
            ])
        #expect(try snapshot([]).groups.allSatisfy(\.reserved.isEmpty))
    }

    @Test("devices are in order of their addresses; what is no device is left out, and said")
    func order() throws {
        for address in ["0000:0a:00.0", "0000:02:1f.7", "0000:02:00.0"] { function(address) }
        tree.directory("sys/bus/pci/devices/no-address")
        tree.link("sys/bus/pci/devices/0000:03:00.0", to: "../../../devices/pci0000:00/gone")
        let snapshot = try snapshot()
        #expect(snapshot.devices.map(\.address.description) == ["0000:02:00.0", "0000:02:1f.7", "0000:0a:00.0"])
        #expect(snapshot.notes.count == 2)
        #expect(snapshot.notes.contains { $0.contains("no-address") })
        #expect(snapshot.notes.contains { $0.contains("0000:03:00.0") })
    }

    @Test("a host without PCI is empty, and says so; a directory that is no host is an error")
    func noPCI() throws {
        #expect(throws: HostAccessError.self) { try snapshot() }
        tree.directory("sys/devices")
        #expect(try snapshot().devices.isEmpty)
        #expect(try snapshot().notes.first?.contains("no PCI bus") == true)
    }
}

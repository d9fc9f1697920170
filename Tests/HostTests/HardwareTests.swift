internal import FoundationEssentials
internal import Host
internal import HostAccess
internal import PCI
internal import TestSupport
internal import Testing

/// What `readHardware` makes of the files of one function, in a tree as the kernel lays it out.
@Suite("A device's hardware")
struct HardwareTests {
    let tree = TemporaryDirectory()
    static let home = "sys/devices/pci0000:00/0000:01:00.0"

    init() throws {
        tree.link("sys/bus/pci/devices/0000:01:00.0", to: "../../../devices/pci0000:00/0000:01:00.0")
        attributes(["vendor": "0x8086\n", "device": "0x10c9\n", "class": "0x020000\n"])
    }

    private func attributes(_ files: [String: String]) {
        for (name, content) in files { tree.file(Self.home + "/" + name, content) }
    }

    private func hardware() throws -> DeviceHardware {
        let host = try CapturedDirectory(tree.path)
        var snapshot = try HostSnapshot.read(from: host)
        #expect(snapshot.devices[0].hardware == nil, "nobody has asked yet")
        snapshot.readHardware(of: snapshot.devices.map(\.address), from: host)
        return try #require(snapshot.devices[0].hardware)
    }

    /// 256 bytes: a device with power management at 0x40.
    private static let configuration: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: 256)
        bytes.replaceSubrange(0..<8, with: [0x86, 0x80, 0xc9, 0x10, 0x06, 0x00, 0x10, 0x00])
        bytes[0x34] = 0x40
        bytes.replaceSubrange(0x40..<0x48, with: [0x01, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00, 0x00])
        return bytes
    }()

    // MARK: configuration space

    @Test("configuration space is decoded")
    func configurationSpace() throws {
        tree.file(Self.home + "/config", bytes: Self.configuration)
        let hardware = try hardware()
        #expect(hardware.configuration?.capabilities.map(\.name) == ["Power Management"])
        #expect(hardware.configuration?.powerManagement?.keepsSettings == true)
        #expect(hardware.knowsCapabilities && hardware.notes == [])
    }

    @Test(
        "64 bytes of it are what an unprivileged user gets: not permitted to look, and not a device without capabilities"
    )
    func unprivileged() throws {
        tree.file(Self.home + "/config", bytes: Array(Self.configuration.prefix(64)))
        let hardware = try hardware()
        #expect(!hardware.knowsCapabilities)
        #expect(hardware.notes.count == 1)
        #expect(hardware.notes.first?.hasPrefix("capabilities: not permitted to look") == true)
    }

    @Test("a broken list, a silent device and a missing file are told, and the rest is read")
    func broken() throws {
        attributes(["reset_method": "flr\n"])
        #expect(try hardware().notes == ["config cannot be read: No such file or directory"])
        tree.file(Self.home + "/config", bytes: [UInt8](repeating: 0xff, count: 4096))
        #expect(try hardware().notes == ["configuration space reads as all ones: the device is asleep, or gone"])
        var looped = Self.configuration
        looped[0x41] = 0x40
        tree.file(Self.home + "/config", bytes: looped)
        #expect(try hardware().notes == ["the list of capabilities loops at 40"])
        #expect(try hardware().resetMethods == ["flr"])
        tree.file(Self.home + "/config", bytes: [UInt8](repeating: 0, count: 5000))
        #expect(try hardware().notes.first?.hasPrefix("config cannot be read") == true)
    }

    @Test("reading a device that sleeps in D3cold wakes it, and that is said")
    func asleep() throws {
        tree.file(Self.home + "/config", bytes: Self.configuration)
        attributes(["power_state": "D3cold\n"])
        let hardware = try hardware()
        #expect(hardware.power.state == "D3cold")
        #expect(hardware.notes.first?.contains("woke it") == true)
    }

    // MARK: regions

    /// What igb's `resource` says, with a 64-bit region in place of its first, an unplaced ROM, and regions of 7 VFs.
    private static let resources = """
        0x000000fe40000000 0x000000fe4001ffff 0x000000000014220c
        0x0000000000000000 0x0000000000000000 0x0000000000000000
        0x000000000000c000 0x000000000000c01f 0x0000000000040101
        0x00000000fe440000 0x00000000fe443fff 0x0000000000040200
        0x0000000000000000 0x0000000000000000 0x0000000000000000
        0x0000000000000000 0x0000000000000fff 0x0000000020040200
        0x00000000fe480000 0x00000000fe4fffff 0x0000000000046200
        0x000000fe40020000 0x000000fe4003bfff 0x000000000014220c
        0x0000000000000000 0x0000000000000000 0x0000000000000000
        0x0000000000000000 0x0000000000000000 0x0000000000000000
        0x00000000fe500000 0x00000000fe51bfff 0x0000000000140200
        0x0000000000000000 0x0000000000000000 0x0000000000000000
        0x0000000000000000 0x0000000000000000 0x0000000000000000

        """

    @Test("regions: memory and I/O, width, size, place, prefetchable; the ROM; and what each virtual function has")
    func regions() throws {
        attributes(["resource": Self.resources, "sriov_totalvfs": "7\n"])
        let hardware = try hardware()
        #expect(
            hardware.bars == [
                BAR(index: 0, kind: .memory, width: 64, size: 0x20000, isPrefetchable: true, address: 0xfe_4000_0000),
                BAR(index: 2, kind: .io, width: 32, size: 32, isPrefetchable: false, address: 0xc000),
                BAR(index: 3, kind: .memory, width: 32, size: 0x4000, isPrefetchable: false, address: 0xfe44_0000),
                BAR(index: 5, kind: .memory, width: 32, size: 0x1000, isPrefetchable: false, address: nil),
            ])
        #expect(hardware.rom == ExpansionROM(size: 0x80000, address: 0xfe48_0000, isEnabled: false))
        #expect(hardware.vfBARs.map(\.index) == [0, 3] && hardware.vfBARs.map(\.size) == [0x4000, 0x4000])
        #expect(hardware.vfBARs.map(\.width) == [64, 64] && hardware.vfBARs.map(\.isPrefetchable) == [true, false])
    }

    @Test(
        "a resource file that makes no sense has no regions",
        arguments: [
            "", "\n", "0x1 0x2", "x y z\n0x0 0x10 0x200\n", String(repeating: "0x10 0x0 0x200\n", count: 40),
            "0x0 0xffffffffffffffff 0x200\n0x0 0x11111111111111111 0x200\n-1 1 1\n1 2 512\n\n\n\n",
        ])
    func nonsenseResources(content: String) throws {
        attributes(["resource": content])
        #expect(try hardware().bars.isEmpty && hardware().rom == nil)
    }

    // MARK: resets, power, link

    @Test("resets: in the kernel's order; none; and a kernel that does not say which")
    func resets() throws {
        #expect(try !hardware().canReset && hardware().resetMethods == nil)
        attributes(["reset": ""])
        #expect(try hardware().canReset && hardware().resetMethods == nil)
        attributes(["reset_method": "flr pm bus\n"])
        #expect(try hardware().resetMethods == ["flr", "pm", "bus"])
    }

    @Test("power: the state, and what runtime power management makes of it")
    func power() throws {
        #expect(try hardware().power == DevicePower())
        attributes([
            "power_state": "D3hot\n", "power/runtime_status": "suspended\n", "power/control": "auto\n",
            "d3cold_allowed": "1\n",
        ])
        #expect(
            try hardware().power
                == DevicePower(
                    state: "D3hot", runtimeStatus: "suspended", runtimeControl: "auto", d3coldAllowed: true))
    }

    @Test("the link now and at best, as new and old kernels write it")
    func link() throws {
        #expect(try hardware().link == nil)
        attributes([
            "current_link_speed": "8.0 GT/s PCIe\n", "current_link_width": "4\n", "max_link_speed": "16 GT/s\n",
            "max_link_width": "8\n",
        ])
        let link = try #require(try hardware().link)
        #expect(link.speed?.description == "8 GT/s" && link.bestSpeed?.description == "16 GT/s")
        #expect(link.width == 4 && link.bestWidth == 8 && link.isBelowBest)
        attributes(["current_link_speed": "Unknown\n", "current_link_width": "0\n"])
        #expect(try hardware().link?.speed == nil && hardware().link?.isBelowBest == false)
        // A virtual function has no link of its own.
        attributes(["max_link_width": "0\n"])
        #expect(try hardware().link == nil)
        attributes(["max_link_width": "255\n"])
        #expect(try hardware().link == nil)
    }

    // MARK: identity

    @Test("the firmware's node: ACPI's path, or the device tree's")
    func firmwareNode() throws {
        #expect(try hardware().firmwareNode == nil)
        tree.link(Self.home + "/of_node", to: "../../../firmware/devicetree/base/soc/pcie@40000000/ethernet@0,0")
        #expect(try hardware().firmwareNode == FirmwareNode(kind: .deviceTree, path: "/soc/pcie@40000000/ethernet@0,0"))
        tree.link(Self.home + "/firmware_node", to: "../../LNXSYSTM:00/device:01")
        tree.file("sys/devices/LNXSYSTM:00/device:01/path", "\\_SB_.PCI0.S20_.S00_\n")
        #expect(try hardware().firmwareNode == FirmwareNode(kind: .acpi, path: "\\_SB_.PCI0.S20_.S00_"))
    }

    @Test("the serial number in its Vital Product Data; boot VGA")
    func identity() throws {
        #expect(try hardware().serial == nil && hardware().isBootVGA == nil)
        let fields: [UInt8] = [0x90, 0x0b, 0x00] + Array("SN".utf8) + [0x08] + Array("ABC-1234".utf8) + [0x78]
        tree.file(Self.home + "/vpd", bytes: [0x82, 0x03, 0x00] + Array("NIC".utf8) + fields)
        attributes(["boot_vga": "1\n"])
        #expect(try hardware().serial == "ABC-1234")
        #expect(try hardware().isBootVGA == true)
    }

    @Test("the modules that claim it are those whose aliases match")
    func modules() throws {
        attributes(["modalias": "pci:v00008086d000010C9sv00008086sd0000A03Cbc02sc00i00\n"])
        #expect(try hardware().modules == [])
        #expect(try hardware().notes.contains { $0.hasPrefix("modules: could not read /proc/sys/kernel/osrelease") })
        tree.file("proc/sys/kernel/osrelease", "6.12.0\n")
        tree.file(
            "lib/modules/6.12.0/modules.alias",
            """
            # Aliases extracted from modules themselves.
            alias pci:v00008086d000010C9sv*sd*bc*sc*i* igb
            alias pci:v00008086d0000100Esv*sd*bc*sc*i* e1000
            alias pci:v*d*sv*sd*bc02sc00i* anything_goes
            alias pci:v*d*sv*sd*bc03sc*i* vga
            alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci
            alias pci:v00008086d000010C9sv*sd*bc*sc*i* igb

            """)
        #expect(try hardware().modules == ["anything_goes", "igb"])
    }

    @Test("config is read once, vpd is read once, nothing is changed; a snapshot reads neither")
    func questions() throws {
        tree.file(Self.home + "/config", bytes: Self.configuration)
        tree.file(Self.home + "/vpd", bytes: [0x78])
        attributes(["reset": "", "reset_method": "flr\n"])
        let host = WatchedHost(try CapturedDirectory(tree.path))
        var snapshot = try HostSnapshot.read(from: host)
        let precious = { host.questions.filter { $0.hasSuffix("/config") || $0.hasSuffix("/vpd") } }
        #expect(precious() == [])
        let addresses = snapshot.devices.map(\.address)
        snapshot.readHardware(of: addresses + addresses, from: host)
        snapshot.readHardware(of: addresses, from: host)
        #expect(precious().count == 2)
        #expect(host.questions.filter { $0.hasPrefix("changed") || $0.hasSuffix("/reset") } == [])
    }

    @Test("what was read is the same after being written and read as JSON")
    func coding() throws {
        tree.file(Self.home + "/config", bytes: Self.configuration)
        attributes(["resource": Self.resources, "reset_method": "flr\n", "max_link_width": "8\n"])
        let host = try CapturedDirectory(tree.path)
        var snapshot = try HostSnapshot.read(from: host)
        snapshot.readHardware(of: snapshot.devices.map(\.address), from: host)
        let copy = try JSONDecoder().decode(HostSnapshot.self, from: JSONEncoder().encode(snapshot))
        #expect(copy == snapshot)
        #expect(copy.devices[0].hardware?.configuration?.capabilities.count == 1)
    }
}

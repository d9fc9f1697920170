import HostAccess
import HostSimulator
import SystemPackage
import Testing

/// What the real kernel (6.12) answers to each write, and so does the simulated one.
@Suite("The simulated kernel answers as the real one does")
struct KernelAnswerTests {
    static let card = "/sys/devices/pci0000:00/0000:01:00.0"
    static let bus = "/sys/bus/pci"

    static func host() -> SimulatedHost {
        SimulatedHost(
            files: [
                card + "/vendor": "0x8086", card + "/device": "0x10c9", card + "/class": "0x020000",
                card + "/uevent": "DRIVER=igb\nPCI_SLOT_NAME=0000:01:00.0", card + "/sriov_totalvfs": "7",
                card + "/sriov_numvfs": "0", card + "/sriov_offset": "128", card + "/sriov_stride": "2",
                card + "/sriov_vf_device": "10ca", card + "/sriov_drivers_autoprobe": "1",
                "/proc/irq/30/smp_affinity_list": "0-1", "/proc/irq/30/effective_affinity_list": "0",
                "/sys/devices/system/cpu/possible": "0-3", "/sys/devices/system/cpu/online": "0-1",
                "/etc/hostname": "here",
            ],
            links: [
                bus + "/devices/0000:01:00.0": card, card + "/driver": bus + "/drivers/igb",
                bus + "/drivers/igb/0000:01:00.0": card, card + "/iommu_group": "/sys/kernel/iommu_groups/1",
                "/sys/kernel/iommu_groups/1/devices/0000:01:00.0": card,
            ])
    }

    /// The errno that a write is answered with; nil for success.
    func answer(_ value: String, to path: String, on host: SimulatedHost) -> Errno? {
        do throws(HostAccessError) {
            try host.write(value, to: path, timeLimit: .seconds(1))
            return nil
        } catch {
            return error.errno
        }
    }

    @Test(
        "sriov_numvfs",
        arguments: [
            ("-1", .invalidArgument), ("abc", .invalidArgument), ("1x", .invalidArgument), ("65536", .invalidArgument),
            ("8", .outOfRange), ("65535", .outOfRange), ("0", nil), ("", nil), ("7", nil), ("0x3", nil), ("3\n", nil),
        ] as [(String, Errno?)])
    func vfCount(value: String, errno: Errno?) {
        #expect(answer(value, to: Self.card + "/sriov_numvfs", on: Self.host()) == errno)
    }

    @Test("from one count to another is EBUSY, above the limit ERANGE all the same, and the same count nothing")
    func otherCount() {
        let host = Self.host()
        #expect(answer("3", to: Self.card + "/sriov_numvfs", on: host) == nil)
        #expect(answer("4", to: Self.card + "/sriov_numvfs", on: host) == .resourceBusy)
        #expect(answer("9", to: Self.card + "/sriov_numvfs", on: host) == .outOfRange)
        #expect(answer("3", to: Self.card + "/sriov_numvfs", on: host) == nil)
        #expect(answer("0", to: Self.card + "/sriov_numvfs", on: host) == nil)
        #expect(!host.exists(Self.bus + "/devices/0000:01:10.0"))
    }

    @Test("a physical function without its driver makes no virtual ones: ENOENT")
    func noDriver() {
        let host = Self.host()
        #expect(answer("0000:01:00.0", to: Self.bus + "/drivers/igb/unbind", on: host) == nil)
        #expect(answer("3", to: Self.card + "/sriov_numvfs", on: host) == .noSuchFileOrDirectory)
    }

    @Test("a virtual function has the card's ids, its own group, and links both ways")
    func virtualFunction() throws {
        let host = Self.host()
        #expect(answer("2", to: Self.card + "/sriov_numvfs", on: host) == nil)
        let function = Self.bus + "/devices/0000:01:10.2"
        #expect(host.linkName(Self.card + "/virtfn1") == "0000:01:10.2")
        #expect(host.linkName(function + "/physfn") == "0000:01:00.0")
        #expect(try host.text(function + "/device") == "0x10ca")
        #expect(host.linkName(function + "/iommu_group") == "3")
    }

    @Test(
        "smp_affinity_list",
        arguments: [
            ("1", nil), ("0-1", nil), ("1,3", nil), ("2-3", .invalidArgument), ("", .invalidArgument),
            ("1-0", .invalidArgument), ("abc", .invalidArgument), ("4", .outOfRange),
        ] as [(String, Errno?)])
    func affinity(value: String, errno: Errno?) {
        #expect(answer(value, to: "/proc/irq/30/smp_affinity_list", on: Self.host()) == errno)
    }

    @Test("the vector goes to a CPU of the list that is online")
    func effective() throws {
        let host = Self.host()
        #expect(answer("1,3", to: "/proc/irq/30/smp_affinity_list", on: host) == nil)
        #expect(try host.text("/proc/irq/30/effective_affinity_list") == "1")
    }

    @Test("a driver refuses a device that is held for another, is bound already, or that it does not claim")
    func binding() throws {
        let host = Self.host()
        try host.loadModule("vfio-pci")
        #expect(answer("0000:01:00.0", to: Self.bus + "/drivers/vfio-pci/bind", on: host) == .resourceBusy)
        #expect(
            answer("0000:01:00.0", to: Self.bus + "/drivers/vfio-pci/unbind", on: host)
                == .operationNotSupportedByDevice)
        #expect(answer("0000:01:00.0", to: Self.bus + "/drivers/igb/unbind", on: host) == nil)
        #expect(
            answer("0000:01:00.0", to: Self.bus + "/drivers/vfio-pci/bind", on: host) == .operationNotSupportedByDevice)
        #expect(answer("vfio-pci", to: Self.card + "/driver_override", on: host) == nil)
        #expect(answer("0000:01:00.0", to: Self.bus + "/drivers/igb/bind", on: host) == .operationNotSupportedByDevice)
        #expect(answer("0000:01:00.0", to: Self.bus + "/drivers_probe", on: host) == nil)
        #expect(host.linkName(Self.card + "/driver") == "vfio-pci")
        #expect(try host.text(Self.card + "/uevent").hasPrefix("DRIVER=vfio-pci"))
    }

    @Test("drivers_probe succeeds without effect where no driver takes the device, and ENODEV where there is none")
    func probing() {
        let host = Self.host()
        #expect(answer("0000:01:00.0", to: Self.bus + "/drivers/igb/unbind", on: host) == nil)
        #expect(answer("pci-stub", to: Self.card + "/driver_override", on: host) == nil)
        #expect(answer("0000:01:00.0", to: Self.bus + "/drivers_probe", on: host) == nil)
        #expect(host.linkName(Self.card + "/driver") == nil)
        #expect(answer("0000:09:00.0", to: Self.bus + "/drivers_probe", on: host) == .operationNotSupportedByDevice)
    }

    @Test("vfio-pci refuses a card with virtual functions: EBUSY")
    func vfioWithVFs() throws {
        let host = Self.host()
        try host.loadModule("vfio-pci")
        #expect(answer("2", to: Self.card + "/sriov_numvfs", on: host) == nil)
        #expect(answer("0000:01:00.0", to: Self.bus + "/drivers/igb/unbind", on: host) == nil)
        #expect(answer("vfio-pci", to: Self.card + "/driver_override", on: host) == nil)
        #expect(answer("0000:01:00.0", to: Self.bus + "/drivers/vfio-pci/bind", on: host) == .resourceBusy)
    }

    @Test("what it does not simulate is refused, never swallowed")
    func unknown() {
        #expect(answer("1", to: Self.card + "/vendor", on: Self.host()) == .permissionDenied)
        #expect(answer("1", to: "/etc/hostname", on: Self.host()) == .permissionDenied)
        #expect(answer("1", to: Self.card + "/nothing", on: Self.host()) == .noSuchFileOrDirectory)
    }

    @Test("a loop of links ends as the kernel ends it")
    func loop() {
        let host = SimulatedHost(files: [:], links: ["/a": "/b", "/b": "/a"])
        #expect(!host.exists("/a"))
        #expect(answer("1", to: "/a", on: host) == .tooManySymbolicLinkLevels)
    }
}

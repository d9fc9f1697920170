internal import Host
internal import HostAccess
internal import PCI
internal import TestSupport
internal import Testing

/// A host with a graphics card at 01:00.0, whose BAR 0 is e0000000-efffffff.
struct DisplayHost {
    let tree = TemporaryDirectory()
    static let home = "sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0"

    init(driver: String? = "nouveau", classID: String = "30000") {
        tree.file(
            Self.home + "/uevent",
            "\(driver.map { "DRIVER=\($0)\n" } ?? "")PCI_CLASS=\(classID)\nPCI_ID=10DE:1C03\nPCI_SUBSYS_ID=1043:85B6\n")
        tree.link("sys/bus/pci/devices/0000:01:00.0", to: "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0")
        if let driver {
            tree.directory("sys/bus/pci/drivers/" + driver)
            tree.link(Self.home + "/driver", to: "../../../../bus/pci/drivers/" + driver)
        }
        tree.file(Self.home + "/boot_vga", "0\n")
        let none = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
        tree.file(
            Self.home + "/resource",
            none + "0x00000000e0000000 0x00000000efffffff 0x000000000014220c\n"
                + "0x000000000000e000 0x000000000000e07f 0x0000000000040101\n" + String(repeating: none, count: 10))
        memory("00000000-00000fff : Reserved", "e0000000-efffffff : PCI Bus 0000:01")
        process(1, "init", open: "/dev/null")
    }

    func memory(_ lines: String...) { tree.file("proc/iomem", lines.map { $0 + "\n" }.joined()) }

    func process(_ pid: Int, _ command: String, open targets: String...) {
        tree.file("proc/\(pid)/comm", command + "\n")
        tree.directory("proc/\(pid)/fd")
        for (index, target) in targets.enumerated() { tree.link("proc/\(pid)/fd/\(index + 3)", to: target) }
    }

    /// A device of a class on the card.
    func classDevice(_ kind: String, _ name: String) {
        tree.directory("\(Self.home)/\(kind)/\(name)")
        tree.link("sys/class/\(kind)/\(name)", to: "../../\(Self.home.dropFirst(4))/\(kind)/\(name)")
    }

    func console(_ name: String, _ kind: String, bound: Bool) {
        tree.file("sys/class/vtconsole/\(name)/name", kind + "\n")
        tree.file("sys/class/vtconsole/\(name)/bind", bound ? "1\n" : "0\n")
    }

    func device() throws -> Device {
        let address = try #require(PCIAddress("01:00.0"))
        return try #require(try HostSnapshot.read(from: CapturedDirectory(tree.path)).device(at: address))
    }

    func uses() throws -> [Use] { try device().uses }
}

@Suite("Who uses a display")
struct DisplayUseTests {
    @Test("nobody")
    func nobody() throws {
        let device = try DisplayHost().device()
        #expect(device.uses == [])
        #expect(device.unseen == [])
    }

    @Test("the boot VGA device, until it was taken from the host", arguments: ["nouveau", nil, "vfio-pci", "pci-stub"])
    func bootVGA(driver: String?) throws {
        let host = DisplayHost(driver: driver)
        host.tree.file(DisplayHost.home + "/boot_vga", "1\n")
        let use = Use(by: .display, detail: "it is the boot VGA device, which the firmware's screen is on (boot_vga)")
        #expect(try host.uses() == (driver == "nouveau" || driver == nil ? [use] : []))
    }

    @Test("the firmware's framebuffer in a BAR, by address", arguments: ["BOOTFB", "efifb", "simpledrm", "vesafb"])
    func firmwareFramebuffer(name: String) throws {
        // vfio-pci cannot reserve the BAR either: it is told whoever has the device.
        let host = DisplayHost(driver: "vfio-pci")
        host.memory("e0000000-efffffff : PCI Bus 0000:01", "  e0000000-e07e8fff : \(name)")
        let use = Use(
            by: .display, detail: "\(name), the framebuffer that the firmware left, has its memory (/proc/iomem)")
        #expect(try host.uses() == [use])
        host.memory("d0000000-d07e8fff : \(name)")
        #expect(try host.uses() == [], "in another device's memory")
    }

    @Test("without addresses nobody is said to be unused; what the lines lie in still tells")
    func zeroedMemory() throws {
        let host = DisplayHost()
        host.memory("00000000-00000000 : PCI Bus 0000:01", "  00000000-00000000 : 0000:01:00.0")
        #expect(try host.uses() == [])
        #expect(
            try host.device().unseen == [
                "not permitted to look at who has its memory (/proc/iomem shows no addresses): root sees whether the "
                    + "firmware's framebuffer is in it"
            ])
        host.memory(
            "00000000-00000000 : PCI Bus 0000:01", "  00000000-00000000 : 0000:01:00.0",
            "    00000000-00000000 : BOOTFB", "  00000000-00000000 : 0000:02:00.0")
        #expect(try host.uses().map(\.by) == [.display])
        host.memory("00000000-00000000 : 0000:02:00.0", "  00000000-00000000 : BOOTFB")
        #expect(try host.uses() == [])
        #expect(host.tree.remove("proc/iomem"))
        #expect(try host.device().unseen.first?.hasPrefix("could not look at who has its memory") == true)
    }

    @Test("the framebuffer console, by the first framebuffer")
    func framebufferConsole() throws {
        let host = DisplayHost()
        host.console("vtcon0", "(S) dummy device", bound: false)
        host.console("vtcon1", "(M) frame buffer device", bound: true)
        host.classDevice("graphics", "fb0")
        let use = Use(by: .console, detail: "the framebuffer console is on fb0 (/sys/class/vtconsole/vtcon1)")
        #expect(try host.uses() == [use])
        #expect(try host.device().framebuffers == ["fb0"])
        host.console("vtcon1", "(M) frame buffer device", bound: false)
        #expect(try host.uses() == [])
    }

    @Test("the framebuffer console on the firmware's framebuffer is on the device that has it")
    func consoleOnFirmware() throws {
        let host = DisplayHost(driver: nil)
        host.console("vtcon1", "(M) frame buffer device", bound: true)
        host.tree.link("sys/class/graphics/fb0", to: "../../devices/platform/efi-framebuffer.0/graphics/fb0")
        #expect(try host.uses() == [])
        host.memory("e0000000-efffffff : 0000:01:00.0", "  e0000000-e07e8fff : efifb")
        #expect(try host.uses().map(\.by) == [.display, .console])
    }

    @Test("the VGA text console is on the boot VGA device")
    func textConsole() throws {
        let host = DisplayHost()
        host.console("vtcon0", "(S) VGA+", bound: true)
        #expect(try host.uses() == [])
        host.tree.file(DisplayHost.home + "/boot_vga", "1\n")
        #expect(
            try host.uses().last
                == Use(by: .console, detail: "the VGA text console is on it (/sys/class/vtconsole/vtcon0)"))
    }

    @Test("DRM clients, by pid and command: who has the card shows something, who has the render node computes")
    func clients() throws {
        let host = DisplayHost()
        for name in ["card1", "renderD129", "card1-HDMI-A-1"] { host.classDevice("drm", name) }
        host.process(900, "Xorg", open: "/dev/dri/card1", "/dev/dri/renderD129")
        host.process(901, "python3", open: "/dev/dri/renderD129")
        host.process(902, "other", open: "/dev/dri/card0")
        #expect(
            try host.uses() == [
                Use(by: .display, detail: "process 900 (Xorg) has /dev/dri/card1 and /dev/dri/renderD129 open"),
                Use(by: .process, detail: "process 901 (python3) has /dev/dri/renderD129 open"),
            ])
        let device = try host.device()
        #expect(device.drmCards == ["card1"])
        #expect(device.renderNodes == ["renderD129"])
    }

    @Test("NVIDIA's nodes, by the minor number that the driver tells")
    func nvidia() throws {
        let host = DisplayHost(driver: "nvidia", classID: "30200")
        host.tree.file(
            "proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t\t NVIDIA H100\nDevice Minor: \t 3\n")
        host.process(77, "nvidia-persiste", open: "/dev/nvidiactl", "/dev/nvidia3")
        host.process(78, "python3", open: "/dev/nvidia0", "/dev/nvidia-uvm")
        #expect(try host.uses() == [Use(by: .process, detail: "process 77 (nvidia-persiste) has /dev/nvidia3 open")])
    }

    @Test("a sound card, an InfiniBand device, a framebuffer: each node leads to its function")
    func otherNodes() throws {
        let host = DisplayHost()
        host.classDevice("sound", "controlC0")
        host.classDevice("infiniband", "mlx5_0")
        host.classDevice("infiniband_verbs", "uverbs0")
        host.classDevice("graphics", "fb0")
        host.process(60, "pipewire", open: "/dev/snd/controlC0", "/dev/snd/timer")
        host.process(61, "ib_write_bw", open: "/dev/infiniband/uverbs0", "/dev/infiniband/rdma_cm")
        host.process(62, "fbi", open: "/dev/fb0", "/dev/input/event3", "/dev/kvm")
        #expect(
            try host.uses() == [
                Use(by: .process, detail: "process 60 (pipewire) has /dev/snd/controlC0 open"),
                Use(by: .process, detail: "process 61 (ib_write_bw) has /dev/infiniband/uverbs0 open"),
                Use(by: .display, detail: "process 62 (fbi) has /dev/fb0 open"),
            ])
        #expect(try host.device().infinibandDevices == ["mlx5_0"])
    }

    @Test("the kernel's own console on a card's serial line")
    func kernelConsole() throws {
        let host = DisplayHost(driver: "serial", classID: "70002")
        host.classDevice("tty", "ttyS4")
        host.tree.link("sys/class/tty/tty0", to: "../../devices/virtual/tty/tty0")
        host.tree.file("sys/class/tty/console/active", "tty0 ttyS4\n")
        #expect(
            try host.uses() == [
                Use(by: .console, detail: "the kernel's console is on ttyS4 (/sys/class/tty/console/active)")
            ])
    }

    @Test("SCSI and Fibre Channel hosts are told with their function")
    func hosts() throws {
        let host = DisplayHost(driver: "lpfc", classID: "C0400")
        host.tree.link("sys/class/scsi_host/host7", to: "../../\(DisplayHost.home.dropFirst(4))/host7/scsi_host/host7")
        host.tree.link("sys/class/fc_host/host7", to: "../../\(DisplayHost.home.dropFirst(4))/host7/fc_host/host7")
        let device = try host.device()
        #expect(device.scsiHosts == ["host7"])
        #expect(device.fcHosts == ["host7"])
        #expect(device.uses == [])
    }
}

internal import HostAccess
internal import PCI
@testable internal import Readiness
internal import TestSupport
internal import Testing

@Suite("Who else sets what vfioctl sets")
struct RivalTests {
    let host = ReadyHost()

    init() { host.tree.link("sys/class/net/eth0", to: "../../devices/pci0000:00/0000:01:00.0/net/eth0") }

    @Test("nobody, which is said once for each kind")
    func nobody() throws {
        for id in [Finding.Subject.vfOwner, .driverOwner, .interruptOwner] {
            #expect(try host.findings(id, ReadyHost.address).map(\.level) == [.ok])
        }
    }

    @Test(
        "numbers of virtual functions: each owner by file and line, and as a warning of the device that it is about",
        arguments: [
            (
                "etc/NetworkManager/system-connections/eth0.nmconnection",
                "[connection]\nid=eth0\ninterface-name=eth0\n\n[sriov]\ntotal-vfs=4\n",
                "NetworkManager sets 4 virtual functions of eth0 (total-vfs at /etc/NetworkManager/system-connections/"
                    + "eth0.nmconnection:6)"
            ),
            (
                "etc/systemd/network/10-sriov.link",
                "[Match]\nOriginalName=eth0\n[Link]\nSR-IOVVirtualFunctions=7\n",
                "udev sets 7 virtual functions of eth0 (SR-IOVVirtualFunctions at /etc/systemd/network/10-sriov.link:4)"
            ),
            (
                "usr/lib/systemd/network/10-sriov.link",
                "[Match]\nPath=pci-0000:01:00.0\n[Link]\nSR-IOVVirtualFunctions=7\n",
                "udev sets 7 virtual functions of 0000:01:00.0 ("
            ),
            (
                "etc/sysconfig/network-scripts/ifcfg-eth0", "DEVICE=\"eth0\"\nSRIOV_TOTAL_VFS=2\n",
                "2 virtual functions of eth0 are set"
            ),
            (
                "etc/sriov-operator/pci/0000:01:00.0", "{}",
                "the SR-IOV network operator sets the virtual functions of this node, of 0000:01:00.0"
            ),
        ])
    func virtualFunctions(file: String, content: String, evidence: String) throws {
        host.tree.file(file, content)
        let host = try #require(try self.host.findings(.vfOwner).first)
        #expect(host.level == .note, "a device that was not asked about")
        #expect(host.device == nil)
        #expect(host.evidence.hasPrefix(evidence), "\(host.evidence)")
        let device = try #require(try self.host.findings(.vfOwner, ReadyHost.address).first)
        #expect(device.level == .warning)
        #expect(device.device?.description == ReadyHost.address)
        #expect(device.cure != nil)
    }

    @Test(
        "settings of nothing, of another file, or of 0 virtual functions are no owner",
        arguments: [
            ("etc/NetworkManager/system-connections/a", "[connection]\ninterface-name=eth0\n[sriov]\ntotal-vfs=0\n"),
            ("etc/NetworkManager/system-connections/a", "[other]\ntotal-vfs=4\n"),
            ("etc/systemd/network/10-a.network", "[Link]\nSR-IOVVirtualFunctions=7\n"),
            ("etc/systemd/network/10-a.link", "[Match]\nSR-IOVVirtualFunctions=7\n# [Link]\n"),
            ("etc/sysconfig/network-scripts/ifup", "SRIOV_TOTAL_VFS=4\n"),
        ])
    func harmless(file: String, content: String) throws {
        host.tree.file(file, content)
        #expect(try host.findings(.vfOwner).map(\.level) == [.ok])
    }

    @Test("a rule of udev that writes the number, or runs what does, is an owner of devices it does not name")
    func rules() throws {
        host.tree.file(
            "etc/udev/rules.d/70-sriov.rules",
            "ACTION==\"add\", KERNEL==\"eth*\", ATTR{device/sriov_numvfs}=\"4\"\n"
                + "ATTR{device/sriov_numvfs}==\"0\", NAME=\"x\"\n"
                + "RUN+=\"/bin/sh -c 'echo vfio-pci > /sys/bus/pci/devices/$kernel/driver_override'\"\n")
        let number = try host.findings(.vfOwner, ReadyHost.address)
        #expect(number.map(\.level) == [.warning])
        #expect(number.first?.evidence.contains("/etc/udev/rules.d/70-sriov.rules:1") == true)
        #expect(try host.finding(.driverOwner).evidence.contains("/etc/udev/rules.d/70-sriov.rules:3"))
    }

    @Test("settings that may not be looked at are not taken for none")
    func forbidden() throws {
        let directory = "/etc/NetworkManager/system-connections"
        host.tree.file("etc/NetworkManager/system-connections/a", "")
        let findings = try host.findings(.vfOwner) { PermissionedHost(base: $0, forbidden: [directory]) }
        #expect(findings.map(\.level) == [.note])
        #expect(findings.first?.evidence == "not permitted to look at \(directory)")
        let file = try host.findings(.vfOwner) { PermissionedHost(base: $0, forbidden: [directory + "/a"]) }
        #expect(file.first?.evidence == "not permitted to look at \(directory)/a")
    }

    // MARK: drivers

    @Test("driverctl's overrides, by address")
    func driverctl() throws {
        host.tree.file("etc/driverctl.d/0000:01:00.0", "vfio-pci\n")
        host.tree.file("etc/driverctl.d/notes.txt", "mine\n")
        let findings = try host.findings(.driverOwner, ReadyHost.address)
        #expect(findings.map(\.level) == [.warning])
        #expect(findings.first?.evidence.contains("gives 0000:01:00.0 to vfio-pci at every start") == true)
        #expect(try host.findings(.driverOwner).map(\.level) == [.note])
    }

    @Test(
        "ids given to vfio-pci take every device of a model",
        arguments: [
            ("etc/modprobe.d/vfio.conf", "options vfio-pci ids=10de:1b80,8086:10c9\n"),
            ("proc/cmdline", "quiet vfio-pci.ids=8086:10c9:1af4:1100\n"),
            ("proc/cmdline", "quiet vfio_pci.ids=8086:10C9\n"),
        ])
    func ids(file: String, content: String) throws {
        host.tree.file(file, content)
        let finding = try host.finding(.driverOwner, ReadyHost.address)
        #expect(finding.level == .warning)
        #expect(finding.device?.description == ReadyHost.address)
        #expect(finding.evidence.contains("/" + file), "\(finding.evidence)")
    }

    @Test("libvirt's managed devices: those of a domain's hostdevs and interfaces, and of a network's pool")
    func libvirt() throws {
        host.tree.file("etc/libvirt/qemu/web.xml", Self.domain)
        let finding = try host.finding(.driverOwner, ReadyHost.address)
        #expect(finding.level == .warning)
        #expect(finding.evidence.hasPrefix("libvirt takes 0000:01:00.0 and 0000:01:10.2 when the domain web starts"))
        #expect(host.tree.remove("etc/libvirt/qemu/web.xml"))
        host.tree.file(
            "etc/libvirt/qemu/networks/pool.xml",
            "<network><name>pool</name><forward mode='hostdev' managed='yes'><pf dev='eth0'/></forward></network>")
        #expect(try host.finding(.driverOwner, ReadyHost.address).evidence.contains("of eth0 for the network pool"))
        let hidden = try host.finding(.driverOwner) { PermissionedHost(base: $0, forbidden: ["/etc/libvirt/qemu"]) }
        #expect(hidden.level == .note)
    }

    private static let domain = """
        <!-- managed='yes' <hostdev type='pci' managed='yes'><source><address bus='0x63' slot='0x00' function='0x0'/></source></hostdev> -->
        <domain type='kvm'><description>a > b</description><devices>
        <hostdev mode='subsystem' type='pci' managed='yes'><driver name="vfio"/>
          <source><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source>
          <address type='pci' domain='0x0000' bus='0x06' slot='0x00' function='0x0'/>
        </hostdev>
        <hostdev mode='subsystem' type='pci' managed='no'><source><address bus='0x02' slot='0x00' function='0x0'/></source></hostdev>
        <hostdev mode='subsystem' type='usb' managed='yes'><source><address bus='1' device='3'/></source></hostdev>
        <interface type='hostdev' managed='yes'><source><address type='pci' bus='1' slot='16' function='2'/></source></interface>
        <interface type='network'><source network='default'/></interface>
        </devices></domain>
        """

    @Test(
        "XML that ends in the middle, or makes no sense, is passed over",
        arguments: [
            "", "<", "<hostdev", "<hostdev type='pci' managed='yes", "<!--", "<a b=c>", "<=''>",
            "<hostdev type='pci' managed='yes'><source><address bus='0x100' slot='0x0' function='0x0'/>",
            "<hostdev type='pci' managed='yes'><source><address bus='0' slot='32' function='0'/>",
        ])
    func brokenXML(text: String) {
        #expect(LibvirtRivals.managedDevices(inDomain: text).isEmpty)
    }

    // MARK: interrupts

    @Test("irqbalance, while it runs: a socket that was left behind is no process")
    func irqbalance() throws {
        host.tree.file("run/irqbalance/irqbalance815.sock", "")
        #expect(try host.finding(.interruptOwner).level == .ok)
        host.tree.file("proc/815/comm", "bash\n")
        #expect(try host.finding(.interruptOwner).level == .ok)
        host.tree.file("proc/815/comm", "irqbalance\n")
        let finding = try host.finding(.interruptOwner)
        #expect(finding.level == .warning)
        #expect(finding.evidence.contains("process 815"))
    }
}

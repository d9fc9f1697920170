internal import HostAccess
@testable internal import Readiness
internal import TestSupport
internal import PCI
internal import Testing

@Suite("Who may open VFIO's nodes")
struct NodeFindingTests {
    let host = ReadyHost()
    private static let rules = "usr/lib/udev/rules.d/50-udev-default.rules"

    private func live(_ mode: UInt32, group: UInt32 = 0) -> (CapturedDirectory) -> any HostAccess {
        { base in
            PermissionedHost(
                base: base,
                permissions: [
                    "/dev/vfio/vfio": .init(mode: mode, owner: 0, group: group),
                    "/dev/iommu": .init(mode: 0o660, owner: 0, group: 0),
                ])
        }
    }

    @Test("is not known of a capture, and not told")
    func capture() throws {
        #expect(try host.findings(.nodePermissions).isEmpty)
        #expect(try host.finding(.access).level == .note)
    }

    @Test("is told by this process's own try")
    func access() throws {
        let denied = try host.finding(.access) {
            PermissionedHost(base: $0, mayOpen: ["/dev/vfio/vfio": true, "/dev/iommu": false])
        }
        #expect(denied.level == .warning)
        #expect(denied.evidence.contains("/dev/iommu"))
        let allowed = try host.finding(.access) { PermissionedHost(base: $0, mayOpen: ["/dev/vfio/vfio": true]) }
        #expect(allowed.level == .ok)
    }

    @Test("everyone, as it is meant to be, and the rule that says so by file and line")
    func everyone() throws {
        host.tree.file(
            Self.rules,
            "# nodes\nKERNEL==\"kvm\", GROUP=\"kvm\", MODE=\"0660\"\n\n"
                + "KERNEL==\"vfio\", MODE=\"0666\", OPTIONS+=\"static_node=vfio/vfio\"\n")
        let finding = try host.finding(.nodePermissions, on: live(0o20666))
        #expect(finding.level == .ok)
        #expect(
            finding.evidence.contains("/dev/vfio/vfio is 0666 0:0, as /\(Self.rules):4 sets it"), "\(finding.evidence)")
        #expect(finding.evidence.contains("/dev/iommu is 0660 0:0 (no udev rule sets it)"))
    }

    @Test("a group of users is as good")
    func group() throws {
        #expect(try host.finding(.nodePermissions, on: live(0o660, group: 104)).level == .ok)
    }

    @Test("root alone, as systemd 254 made it after its own rule: a warning that names both")
    func rootAlone() throws {
        host.tree.file(Self.rules, "KERNEL==\"vfio\", MODE=\"0666\"\n")
        host.tree.file(
            "run/tmpfiles.d/static-nodes.conf", "d /dev/vfio 0755 - - -\nc! /dev/vfio/vfio 0600 - - - 10:196\n")
        let finding = try host.finding(.nodePermissions, on: live(0o600))
        #expect(finding.level == .warning)
        #expect(finding.evidence.contains("/dev/vfio/vfio is 0600 0:0, though /\(Self.rules):1 sets MODE 0666"))
        #expect(finding.evidence.contains("/run/tmpfiles.d/static-nodes.conf:2 makes it 0600"))
        #expect(finding.cure?.contains("/etc/tmpfiles.d/vfio.conf") == true)
        #expect(finding.cure?.contains("udevadm trigger /dev/vfio/vfio") == true)
    }

    @Test("root alone, and no rule that would change it: the cure is a rule")
    func noRule() throws {
        let finding = try host.finding(.nodePermissions, on: live(0o600))
        #expect(finding.evidence.contains("no udev rule sets it"))
        #expect(finding.cure?.contains("SUBSYSTEM==\"misc\", MODE=\"0666\" to /etc/udev/rules.d/70-vfio.rules") == true)
    }

    @Test("rules that may not be read are not taken for none")
    func forbidden() throws {
        host.tree.directory("etc/udev/rules.d")
        let finding = try host.finding(.nodePermissions) { base in
            PermissionedHost(
                base: base, permissions: ["/dev/vfio/vfio": .init(mode: 0o666, owner: 0, group: 0)],
                forbidden: ["/etc/udev/rules.d"])
        }
        #expect(finding.evidence.contains("not permitted to look at /etc/udev/rules.d"))
    }

    @Test("a device's own nodes are told with it, while VFIO has it")
    func device() throws {
        host.tree.link(ReadyHost.home + "/driver", to: "../../../bus/pci/drivers/vfio-pci")
        host.tree.file(
            ReadyHost.home + "/uevent", "DRIVER=vfio-pci\nPCI_CLASS=20000\nPCI_ID=8086:10C9\nPCI_SUBSYS_ID=1AF4:1100\n")
        host.tree.directory(ReadyHost.home + "/vfio-dev/vfio0")
        host.tree.file("etc/udev/rules.d/10-vfio.rules", "SUBSYSTEM==\"vfio\", OWNER=\"qemu\", MODE=\"0600\"\n")
        let finding = try host.finding(.deviceNode, ReadyHost.address) { base in
            PermissionedHost(
                base: base,
                permissions: [
                    "/dev/vfio/12": .init(mode: 0o600, owner: 107, group: 0),
                    "/dev/vfio/devices/vfio0": .init(mode: 0o600, owner: 0, group: 0),
                ])
        }
        #expect(finding.evidence.contains("/dev/vfio/12 is 0600 107:0, as /etc/udev/rules.d/10-vfio.rules:1 sets it"))
        #expect(finding.evidence.contains("/dev/vfio/devices/vfio0 is 0600 0:0 (no udev rule sets it)"))
    }
}

@Suite("udev's rules")
struct UdevRuleTests {
    private func rules(_ text: String) throws -> UdevRules {
        let host = ReadyHost()
        host.tree.file("etc/udev/rules.d/10-test.rules", text)
        return UdevRules(on: HostFiles(host: try CapturedDirectory(host.tree.path)))
    }

    @Test(
        "that speak of a node are found by its kernel name and subsystem",
        arguments: [
            ("KERNEL==\"vfio\", MODE=\"0660\"", "0660"), ("KERNEL==\"vf*\", MODE=\"0660\"", "0660"),
            ("KERNEL==\"kvm|vfio\", MODE=\"0660\"", "0660"), ("KERNEL==\"[t-w]fio\", MODE=\"0660\"", "0660"),
            ("KERNEL==\"vfi?\", SUBSYSTEM==\"misc\", ACTION==\"add|change\", MODE=\"0660\"", "0660"),
            ("KERNEL!=\"kvm\", SUBSYSTEM==\"misc\", MODE=\"0660\"", "0660"),
            ("SUBSYSTEM==\"misc\",KERNEL==\"vfio\",\\\n  MODE=\"0660\"", "0660"),
            ("KERNEL==\"vfio\", MODE:=\"0600\"\nKERNEL==\"vfio\", MODE=\"0666\"", "0600"),
            ("KERNEL==\"vfio\", MODE=\"0600\"\nKERNEL==\"vfio\", MODE=\"0666\"", "0666"),
        ])
    func found(text: String, mode: String) throws {
        #expect(try rules(text).setting(kernelName: "vfio", subsystem: "misc")?.mode == mode)
    }

    @Test(
        "that speak of others, of every device, of more than can be judged, or are spelt wrong, are not",
        arguments: [
            "KERNEL==\"kvm\", MODE=\"0660\"", "KERNEL==\"vfio\", SUBSYSTEM==\"vfio\", MODE=\"0660\"", "MODE=\"0660\"",
            "KERNEL==\"vfio\", ATTR{x}==\"1\", MODE=\"0660\"", "KERNEL==\"vfio\", ACTION==\"remove\", MODE=\"0660\"",
            "# KERNEL==\"vfio\", MODE=\"0660\"", "KERNEL==\"vfio\" MODE 0660", "KERNEL==\"vfio", "KERNEL{==\"vfio\"",
            "KERNEL==\"[\", MODE=\"0660\"", "KERNEL==\"vfio\", TAG+=\"uaccess\"",
        ])
    func passedOver(text: String) throws {
        #expect(try rules(text).setting(kernelName: "vfio", subsystem: "misc") == nil)
    }

    @Test("of a file in /etc hide those of the same name below /usr, and go by name among all directories")
    func order() throws {
        let host = ReadyHost()
        host.tree.file("usr/lib/udev/rules.d/50-a.rules", "KERNEL==\"vfio\", MODE=\"0600\"\n")
        host.tree.file("etc/udev/rules.d/50-a.rules", "KERNEL==\"kvm\", MODE=\"0600\"\n")
        host.tree.file("usr/lib/udev/rules.d/90-b.rules", "KERNEL==\"vfio\", GROUP=\"last\"\n")
        host.tree.file("etc/udev/rules.d/10-c.rules", "KERNEL==\"vfio\", GROUP=\"first\"\n")
        let setting = UdevRules(on: HostFiles(host: try CapturedDirectory(host.tree.path)))
            .setting(kernelName: "vfio", subsystem: "misc")
        #expect(setting?.mode == nil)
        #expect(setting?.group == "last")
        #expect(setting?.place == "/usr/lib/udev/rules.d/90-b.rules:1")
    }

    @Test(
        "a pattern matches as a shell's does",
        arguments: [
            ("vfio", "vfio", true), ("*", "", true), ("a*b*c", "aXbYbZc", true), ("a*b", "acb_", false),
            ("[!0-9]*", "v1", true),
            ("[!0-9]*", "1v", false), ("[0-9]*", "12", true), ("[]x]", "]", true), ("[", "[", true), ("", "", true),
            ("", "a", false),
            ("?", "", false),
        ])
    func patterns(pattern: String, text: String, matches: Bool) {
        #expect(shellPattern(pattern, matches: text) == matches)
    }
}

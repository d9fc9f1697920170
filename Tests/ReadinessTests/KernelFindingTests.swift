internal import Readiness
internal import TestSupport
internal import HostAccess
internal import PCI
internal import Testing

@Suite("What the kernel and the firmware hold back")
struct LockdownTests {
    let host = ReadyHost()

    @Test(
        "a lockdown is a note that says what it costs",
        arguments: [
            ("[none] integrity confidentiality\n", Finding.Level.ok, "not locked down"),
            ("none [integrity] confidentiality\n", .note, "locked down for integrity"),
            ("none integrity [confidentiality]\n", .note, "locked down for confidentiality"),
        ])
    func lockdown(content: String, level: Finding.Level, evidence: String) throws {
        #expect(try host.finding(.lockdown).level == .ok, "none to be seen")
        host.tree.file("sys/kernel/security/lockdown", content)
        #expect(try host.finding(.lockdown).level == level)
        #expect(try host.finding(.lockdown).evidence.contains(evidence))
        let forbidden = try host.finding(.lockdown) {
            PermissionedHost(base: $0, forbidden: ["/sys/kernel/security/lockdown"])
        }
        #expect(forbidden.evidence.contains("not permitted"))
    }

    @Test("secure boot is the fifth byte of the firmware's variable")
    func secureBoot() throws {
        let variable = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
        #expect(try host.finding(.secureBoot).evidence.contains("not started by UEFI"))
        host.tree.directory("sys/firmware/efi")
        #expect(try host.finding(.secureBoot).evidence.contains("not known"))
        host.tree.file(variable, "\u{6}\0\0\0\u{1}")
        #expect(try host.finding(.secureBoot).level == .note)
        #expect(try host.finding(.secureBoot).evidence.hasPrefix("on "))
        host.tree.file(variable, "\u{6}\0\0\0\0")
        #expect(try host.finding(.secureBoot).level == .ok)
        host.tree.file(variable, "\u{6}\0\0\0")
        #expect(try host.finding(.secureBoot).evidence.contains("not known"), "cut short")
    }
}

@Suite("KVM")
struct KVMTests {
    let host = ReadyHost()

    @Test("is there by its node, and this user may open it or not")
    func node() throws {
        #expect(try host.finding(.kvm).level == .ok)
        let denied = try host.finding(.kvm) {
            PermissionedHost(
                base: $0, permissions: ["/dev/kvm": .init(mode: 0o20660, owner: 0, group: 104)],
                mayOpen: ["/dev/kvm": false])
        }
        #expect(denied.level == .warning)
        #expect(denied.evidence.contains("0660 0:104"))
    }

    @Test(
        "without it, the CPU and the modules say why",
        arguments: [
            ("flags\t\t: fpu vmx\n", "", Finding.Level.warning, "not among this kernel's modules"),
            ("flags\t\t: fpu vmx\n", "kernel/arch/x86/kvm/kvm-intel.ko.xz:\n", .note, "kvm_intel is not loaded"),
            ("flags\t\t: fpu svm\n", "kernel/arch/x86/kvm/kvm-amd.ko.xz:\n", .note, "kvm_amd is not loaded"),
            ("flags\t\t: fpu sse\n", "", .warning, "the CPU offers no virtualisation"),
            ("CPU implementer\t: 0x41\n", "", .note, "not known"),
        ])
    func missing(cpuinfo: String, modules: String, level: Finding.Level, evidence: String) throws {
        #expect(host.tree.remove("dev/kvm"))
        host.tree.file("proc/cpuinfo", cpuinfo)
        host.tree.file("lib/modules/6.12.1-amd64/modules.dep", modules)
        #expect(try host.finding(.kvm).level == level)
        #expect(try host.finding(.kvm).evidence.contains(evidence))
    }

    @Test("and whether its guests may have guests")
    func nested() throws {
        #expect(try host.findings(.nested).isEmpty, "not known before KVM is loaded")
        host.tree.file("sys/module/kvm_intel/parameters/nested", "Y\n")
        #expect(try host.finding(.nested).level == .ok)
        host.tree.removeDirectory("sys/module/kvm_intel")
        host.tree.file("sys/module/kvm_amd/parameters/nested", "0\n")
        #expect(try host.finding(.nested).level == .note)
        #expect(try host.finding(.nested).cure?.contains("options kvm_amd nested=1") == true)
    }
}

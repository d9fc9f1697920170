internal import HostAccess

/// The findings about the kernel's own state: lockdown, secure boot, KVM.
struct KernelFindings {
    let files: HostFiles

    var findings: [Finding] { [lockdown, secureBoot, kvm, nested].compactMap(\.self) }

    // MARK: what root may do

    /// kernel_lockdown(7): `[none] integrity confidentiality`, the one in brackets holds.
    private var lockdown: Finding {
        let path = "/sys/kernel/security/lockdown"
        switch files.text(path) {
        case .content(let modes):
            let mode = modes.split(separator: " ").first { $0.hasPrefix("[") && $0.hasSuffix("]") }?
                .dropFirst().dropLast()
            guard let mode, mode != "none" else {
                return Finding(.lockdown, .ok, "the kernel is not locked down (\(modes) in \(path))")
            }
            return Finding(
                .lockdown, .note,
                "the kernel is locked down for \(mode) (\(modes) in \(path)): VFIO works; modules without a trusted "
                    + "signature are refused, and so are writes to config space and BARs through sysfs (setpci)")
        case .forbidden: return Finding(.lockdown, .note, "not permitted to look at \(path)")
        case .absent, .unreadable:
            return Finding(
                .lockdown, .ok, "no sign of a lockdown: the kernel has none, or securityfs is not mounted (\(path))")
        }
    }

    /// The firmware's variable, behind four bytes of attributes (efivarfs).
    private var secureBoot: Finding {
        guard files.exists("/sys/firmware/efi") else {
            return Finding(
                .secureBoot, .ok, "does not apply: the machine was not started by UEFI (no /sys/firmware/efi)")
        }
        let path = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
        switch files.bytes(path) {
        case .content(let bytes) where bytes.count >= 5:
            guard bytes[4] == 1 else { return Finding(.secureBoot, .ok, "off (\(path))") }
            return Finding(
                .secureBoot, .note,
                "on (\(path)): modules from outside the distribution, such as vendors' drivers and vendor-reset, load "
                    + "only with a signature that the machine trusts",
                cure: "for such a module, enrol the key that it is signed with (mokutil --import)")
        case .forbidden: return Finding(.secureBoot, .note, "not permitted to look at \(path)")
        case .content, .absent, .unreadable:
            return Finding(
                .secureBoot, .note, "not known: the firmware has no such variable, or efivarfs is not mounted (\(path))"
            )
        }
    }

    // MARK: KVM

    private var kvm: Finding {
        let node = "/dev/kvm"
        if files.exists(node) {
            guard files.host.mayOpen(node) == false else { return Finding(.kvm, .ok, "KVM is there (\(node))") }
            let permissions = files.host.permissions(of: node).map { " (\($0))" } ?? ""
            return Finding(
                .kvm, .warning, "this user may not open \(node)\(permissions): a guest of this user is emulated",
                cure: "add the user to the group that the node belongs to, mostly kvm")
        }
        let cpuinfo = files.text("/proc/cpuinfo", limit: 16 << 20).content ?? ""
        let flags = Platform.flags(cpuinfo)
        let makers: [(flag: Substring, module: String)] = [("vmx", "kvm_intel"), ("svm", "kvm_amd")]
        guard let maker = makers.first(where: { flags.contains($0.flag) }) else {
            guard !flags.isEmpty else { return Finding(.kvm, .note, "not known: \(node) is not there") }
            return Finding(
                .kvm, .warning,
                "\(node) is not there, and the CPU offers no virtualisation (neither vmx nor svm in "
                    + "/proc/cpuinfo): guests are emulated",
                cure: Platform.isGuest(cpuinfo)
                    ? "this machine is itself a guest: have its host offer nested virtualisation"
                    : "turn VT-x or AMD-V (SVM) on in the firmware's setup")
        }
        switch KernelModule.find(maker.module, on: files) {
        case .present(let place):
            return Finding(
                .kvm, .warning, "\(maker.module) is in the kernel (\(place)), and \(node) is not there",
                cure: "see what the kernel says of it (dmesg | grep -i kvm)")
        case .loadable(let place):
            return Finding(
                .kvm, .note, "\(maker.module) is not loaded, and can be (\(place); \(maker.flag) in /proc/cpuinfo)",
                cure: "modprobe \(maker.module)")
        case .absent, .unknown:
            return Finding(
                .kvm, .warning, "\(node) is not there, and \(maker.module) is not among this kernel's modules",
                cure: "install a kernel with KVM, or its modules")
        }
    }

    /// Whether a guest of this host can run guests.
    private var nested: Finding? {
        for module in ["kvm_intel", "kvm_amd"] {
            let path = "/sys/module/\(module)/parameters/nested"
            guard let setting = files.text(path).content else { continue }
            guard !["Y", "1"].contains(setting) else {
                return Finding(.nested, .ok, "guests can run guests (\(path): \(setting))")
            }
            return Finding(
                .nested, .note, "guests cannot run guests (\(path): \(setting))",
                cure:
                    "if they are to, write \"options \(module) nested=1\" to /etc/modprobe.d/kvm.conf and load \(module) "
                    + "anew")
        }
        return nil
    }
}

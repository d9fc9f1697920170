/// Whether a device's interrupt reaches a running guest without the host: VT-d's posted interrupts, AMD's AVIC.
struct PostedInterrupts {
    let files: HostFiles

    private static let without = "a device's interrupts reach its guest by way of the host, a little later"

    var finding: Finding? {
        let units = files.names(in: "/sys/class/iommu")
        guard !units.isEmpty else { return nil }
        var capable: [Capability] = []
        for unit in units {
            guard let capability = capability(of: unit) else { continue }
            guard capability.isOffered else {
                return Finding(
                    .postedInterrupts, .note,
                    "\(unit) has no \(capability.name) (bit \(capability.bit) of \(capability.path) is 0): \(Self.without)"
                )
            }
            capable.append(capability)
        }
        guard let first = capable.first else {
            return Finding(
                .postedInterrupts, .note,
                "not known: what \(list(units)) can do is not in sysfs; on ARM the kernel log says (GICv4)")
        }
        if let setting = files.text(first.parameter).content, ["N", "0"].contains(setting) {
            return Finding(
                .postedInterrupts, .note,
                "the IOMMU has \(first.name), and KVM does not use it (\(first.parameter): \(setting)): \(Self.without)",
                cure:
                    "where it matters, write \"options \(first.option)\" to /etc/modprobe.d/kvm.conf and load KVM anew")
        }
        return Finding(
            .postedInterrupts, .ok,
            "the IOMMU has \(first.name) (bit \(first.bit) of \(first.path))" + (counters.map { "; \($0)" } ?? ""))
    }

    private struct Capability {
        var name: String
        var path: String
        var bit: Int
        var isOffered: Bool
        /// KVM's module parameter that uses it.
        var parameter: String
        /// As modprobe.d(5) spells it.
        var option: String
    }

    /// What the unit's registers say: Intel's capability register (bit 59, PI), AMD's extended features (bit 7, GASup).
    private func capability(of unit: String) -> Capability? {
        let intel = "/sys/class/iommu/\(unit)/intel-iommu/cap"
        if let register = register(intel) {
            return Capability(
                name: "posted interrupts", path: intel, bit: 59, isOffered: register & 1 << 59 != 0,
                parameter: "/sys/module/kvm_intel/parameters/enable_apicv", option: "kvm_intel enable_apicv=1")
        }
        let amd = "/sys/class/iommu/\(unit)/amd-iommu/features"
        guard let register = register(amd) else { return nil }
        return Capability(
            name: "AVIC's guest interrupts", path: amd, bit: 7, isOffered: register & 1 << 7 != 0,
            parameter: "/sys/module/kvm_amd/parameters/avic", option: "kvm_amd avic=1")
    }

    /// A register in hexadecimal; newer kernels print a second one behind a colon.
    private func register(_ path: String) -> UInt64? {
        files.text(path).content?.split(separator: ":").first.flatMap { UInt64($0, radix: 16) }
    }

    /// How many have come, by the rows that KVM adds: posted for a running guest (PIN), nested (NPI), waking one (PIW).
    private var counters: String? {
        guard let interrupts = files.text("/proc/interrupts", limit: 16 << 20).content else { return nil }
        var seen: [String] = []
        for line in interrupts.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let name = words.first?.dropLast(), ["PIN", "NPI", "PIW"].contains(String(name)) else { continue }
            let total = words.dropFirst().prefix { $0.utf8.allSatisfy { (48...57).contains($0) } }
                .compactMap { UInt64($0) }.reduce(UInt64(0)) { $0 &+ $1 }
            seen.append("\(name) \(total)")
        }
        return seen.isEmpty ? nil : "so far \(list(seen)) (/proc/interrupts)"
    }
}

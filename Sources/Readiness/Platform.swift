/// Whose IOMMU a machine has, or would have: by the tables that its firmware handed to the kernel, or else by its CPU.
enum Platform: Equatable {
    /// VT-d.
    case intel
    /// AMD-Vi.
    case amd
    /// SMMU.
    case arm
    case unknown

    private static let tables = "/sys/firmware/acpi/tables/"

    /// The firmware's table that describes the IOMMU, where there is one: its platform and its path.
    static func firmwareTable(on files: HostFiles) -> (platform: Platform, path: String)? {
        let known: [(String, Platform)] = [("DMAR", .intel), ("IVRS", .amd), ("IORT", .arm)]
        for (name, platform) in known where files.exists(tables + name) { return (platform, tables + name) }
        return nil
    }

    /// The maker of the CPU, as /proc/cpuinfo has it.
    static func ofCPU(_ cpuinfo: String) -> Platform {
        if cpuinfo.contains("GenuineIntel") { return .intel }
        if cpuinfo.contains("AuthenticAMD") || cpuinfo.contains("HygonGenuine") { return .amd }
        return cpuinfo.contains("CPU implementer") ? .arm : .unknown
    }

    /// Whether the machine is itself a guest: the CPU's flag `hypervisor`, which x86 has.
    static func isGuest(_ cpuinfo: String) -> Bool { flags(cpuinfo).contains("hypervisor") }

    /// The flags of the first CPU (`flags` on x86).
    static func flags(_ cpuinfo: String) -> Set<Substring> {
        for line in cpuinfo.split(separator: "\n") where line.hasPrefix("flags") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            return Set(line[line.index(after: colon)...].split(separator: " "))
        }
        return []
    }
}

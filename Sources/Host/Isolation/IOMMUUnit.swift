internal import HostAccess
public import PCI

/// One IOMMU of the host, as `/sys/class/iommu` has it.
public struct IOMMUUnit: Hashable, Sendable, Codable {
    /// Its name: `dmar0` (Intel), `ivhd0` (AMD), `smmu3.0x…` (ARM).
    public var name: String
    /// The PCI functions that it translates for.
    public var devices: [PCIAddress]
    /// How many bits a DMA address may have: the smaller of the unit's limit and its page tables'. Nil where its driver
    /// does not say, as ARM's.
    public var addressBits: Int?
    /// Whether it is AMD's.
    public var isAMD: Bool

    /// Makes a unit of what was read.
    public init(name: String, devices: [PCIAddress], addressBits: Int? = nil, isAMD: Bool = false) {
        self.name = name
        self.devices = devices
        self.addressBits = addressBits
        self.isAMD = isAMD
    }

    /// Intel's Capability Register (VT-d 11.4.2): bits 21:16 are the widest guest address less one (MGAW), bits 12:8 the
    /// page tables that exist (SAGAW): 39, 48 or 57 bits.
    static func intelAddressBits(capability: UInt64) -> Int? {
        let tables = [(9, 39), (10, 48), (11, 57)]
        guard let widest = tables.last(where: { capability >> UInt64($0.0) & 1 == 1 }) else { return nil }
        return min(Int(capability >> 16 & 0x3f) + 1, widest.1)
    }

    /// AMD's Extended Feature Register (48882, MMIO offset 0x30): bits 11:10 are the levels of its host page tables less
    /// four (HATS), each of nine bits, six being all of an address.
    static func amdAddressBits(features: UInt64) -> Int? {
        switch features >> 10 & 3 {
        case 0: 48
        case 1: 57
        case 2: 64
        default: nil
        }
    }
}

extension HostSnapshot {
    /// The unit that translates for a device.
    public func iommu(of address: PCIAddress) -> IOMMUUnit? { iommus.first { $0.devices.contains(address) } }

    /// Reads `/sys/class/iommu` and the kernel's arguments.
    mutating func readIOMMUs(from host: any HostAccess) {
        let path = "/sys/class/iommu"
        iommus = Self.names(path, on: host).sorted().map { name in
            let unit = "\(path)/\(name)"
            let devices = Self.names(unit + "/devices", on: host).compactMap { PCIAddress($0) }.sorted()
            if let capability = host.optionalText(unit + "/intel-iommu/cap").flatMap({ UInt64($0, radix: 16) }) {
                return IOMMUUnit(
                    name: name, devices: devices, addressBits: IOMMUUnit.intelAddressBits(capability: capability))
            }
            if let features = host.optionalText(unit + "/amd-iommu/features") {
                // Two registers, the first of which is meant.
                let first = features.split(separator: ":").first.flatMap { UInt64($0, radix: 16) }
                return IOMMUUnit(
                    name: name, devices: devices, addressBits: first.flatMap(IOMMUUnit.amdAddressBits), isAMD: true)
            }
            return IOMMUUnit(name: name, devices: devices, isAMD: host.exists(unit + "/amd-iommu"))
        }
        kernelArguments = host.optionalText("/proc/cmdline")?.split { $0 == " " || $0 == "\n" }.map(String.init)
    }

    private static func names(_ path: String, on host: any HostAccess) -> [String] {
        do { return try host.entries(path) } catch { return [] }
    }
}

public import PCI

/// Whether an IOMMU group can be given to a user now, or after a plan.
public struct Viability: Hashable, Sendable {
    /// What spoils it, one sentence a member: "0000:05:02.0 is bound to e1000". Empty when it is viable.
    public var reasons: [String]

    /// Whether nothing spoils it.
    public var isViable: Bool { reasons.isEmpty }
}

extension HostSnapshot {
    /// Applies the kernel's rule (`iommu_group_claim_dma_owner`, drivers/iommu/iommu.c): a group is viable when no member
    /// is bound to a driver that does DMA for the host. Members without a driver do not spoil it, bridges or not.
    public func viability(of group: IOMMUGroup) -> Viability {
        viability(of: group) { device(at: $0)?.driver }
    }

    /// The same for drivers that the members would have, after a plan.
    public func viability(of group: IOMMUGroup, driverOf: (PCIAddress) -> String?) -> Viability {
        Viability(
            reasons: group.devices.compactMap { address in
                guard let driver = driverOf(address), !DriverPolicy.sparesViability(driver) else { return nil }
                return "\(address) is bound to \(driver)"
            })
    }
}

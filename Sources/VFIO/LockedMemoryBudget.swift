/// How much memory a program that is given devices may lock: RLIMIT_MEMLOCK.
///
/// Every page that a device can reach is pinned, and counted: guest RAM first of all, then firmware, option ROMs, video
/// memory and what else the VMM shows the guest as memory. type1 counts a process, iommufd a user: what the user's
/// other guests have pinned, or may come to pin, is in the way of this one and is added.
///
/// A virtual IOMMU gives each device an address space of its own, in which all of RAM counts again: `guestMemory` is
/// then RAM times the devices.
public struct LockedMemoryBudget: Hashable, Sendable {
    /// What a guest pins beside its RAM: libvirt's figure, 1 GiB.
    public static let allowance: UInt64 = 1 << 30

    /// The guest's RAM, in bytes; 0 for a program that is no guest.
    public var guestMemory: UInt64
    /// What other processes of the user lock, in bytes. 0 with the group backend.
    public var alreadyClaimed: UInt64

    /// Makes a budget.
    public init(guestMemory: UInt64, alreadyClaimed: UInt64 = 0) {
        self.guestMemory = guestMemory
        self.alreadyClaimed = alreadyClaimed
    }

    /// The limit, in bytes.
    public var limit: UInt64 {
        [guestMemory, Self.allowance, alreadyClaimed].reduce(0) { sum, part in
            let (larger, overflow) = sum.addingReportingOverflow(part)
            return overflow ? .max : larger
        }
    }
}

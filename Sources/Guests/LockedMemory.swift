public import HostAccess

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
        guestMemory.addingOrMax(Self.allowance).addingOrMax(alreadyClaimed)
    }

    /// What the processes of a user have pinned, or may come to pin, in the user's own account.
    ///
    /// The kernel does not tell that account. It is not above the sum of `VmPin` in /proc/PID/status; but a guest that
    /// has just been started will pin more, up to its own RLIMIT_MEMLOCK, which was set with all before it in mind. The
    /// larger of the two is the answer. Processes that end meanwhile, or that may not be looked into, are passed over.
    public static func claimed(by uid: UInt32, on host: any HostDirectory) -> UInt64 {
        let processes: [Int32]
        do throws(HostAccessError) {
            processes = try host.entries("/proc").compactMap { Int32($0) }
        } catch {
            return 0
        }
        var pinned: UInt64 = 0
        var promised: UInt64 = 0
        for process in processes {
            guard let status = host.optionalText("/proc/\(process)/status"), field("Uid", of: status) == UInt64(uid)
            else { continue }
            pinned = pinned.addingOrMax((field("VmPin", of: status) ?? 0).multipliedOrMax(1024))
            if host.process(process, hasOpen: "/dev/iommu") == true, let limit = lockLimit(process, on: host) {
                promised = max(promised, limit)
            }
        }
        return max(pinned, promised)
    }

    /// The first number of a line `Name:  number …`.
    private static func field(_ name: String, of status: String) -> UInt64? {
        for line in status.split(separator: "\n") where line.hasPrefix(name + ":") {
            let rest = line.utf8.dropFirst(name.utf8.count + 1).drop { !isDigit($0) }
            return UInt64(Substring(rest.prefix(while: isDigit)))
        }
        return nil
    }

    /// The soft limit of /proc/PID/limits; nil for "unlimited", which promises nothing.
    private static func lockLimit(_ process: Int32, on host: any HostDirectory) -> UInt64? {
        let title = "Max locked memory"
        guard let limits = host.optionalText("/proc/\(process)/limits"),
            let line = limits.split(separator: "\n").first(where: { $0.hasPrefix(title) })
        else { return nil }
        return line.dropFirst(title.utf8.count).split(separator: " ").first.flatMap { UInt64($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}

/// An amount of memory as people write it: `4G`, `512M`, `65536K`, `1T`, or bytes without a letter. Units are powers of
/// 1024; `GiB` and `GB` mean the same.
public struct MemorySize: Hashable, Sendable, LosslessStringConvertible {
    /// The amount.
    public let bytes: UInt64

    /// An amount of bytes.
    public init(bytes: UInt64) { self.bytes = bytes }

    /// Reads an amount; nil for anything else, and for more than 64 bits hold.
    public init?(_ description: String) {
        let digits = description.utf8.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard let number = UInt64(Substring(digits)) else { return nil }
        let shift: UInt64
        switch description.dropFirst(digits.count).lowercased() {
        case "", "b": shift = 0
        case "k", "kb", "kib": shift = 10
        case "m", "mb", "mib": shift = 20
        case "g", "gb", "gib": shift = 30
        case "t", "tb", "tib": shift = 40
        default: return nil
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    /// In the largest unit that divides it: `4G`.
    public var description: String {
        for (shift, letter) in [(40, "T"), (30, "G"), (20, "M"), (10, "K")] as [(UInt64, String)]
        where bytes > 0 && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(letter)"
        }
        return "\(bytes)"
    }
}

extension UInt64 {
    fileprivate func addingOrMax(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    fileprivate func multipliedOrMax(_ factor: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}

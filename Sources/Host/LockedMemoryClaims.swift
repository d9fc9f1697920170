public import HostAccess

/// What /proc/PID/status says of a process, as far as locked memory is concerned (proc(5)).
public struct ProcessStatus: Hashable, Sendable {
    /// The real user id: whose account iommufd charges.
    public var uid: UInt32
    /// `VmPin`: what has been pinned in its name, in bytes.
    public var pinned: UInt64
    /// `CapEff`: its effective capabilities, bit by bit.
    public var capabilities: UInt64

    /// Reads the status of a process; nil for one that has ended, or that may not be looked into.
    ///
    /// - Parameter process: its number, or "self".
    public init?(of process: String, on host: any HostDirectory) {
        guard let text = host.optionalText("/proc/\(process)/status") else { return nil }
        var fields: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon]] = line[line.index(after: colon)...].split { $0 == "\t" || $0 == " " }.first
        }
        guard let uid = fields["Uid"].flatMap({ UInt32($0) }) else { return nil }
        self.uid = uid
        pinned = (fields["VmPin"].flatMap { UInt64($0) } ?? 0).productOrMax(1024)
        capabilities = fields["CapEff"].flatMap { UInt64($0, radix: 16) } ?? 0
    }

    /// Whether it may lock any amount of memory: CAP_IPC_LOCK, which is capability 14.
    public var mayLockAnyMemory: Bool { capabilities & 1 << 14 != 0 }
}

/// RLIMIT_MEMLOCK of a process, from /proc/PID/limits.
public struct LockedMemoryLimit: Hashable, Sendable {
    /// What holds now, in bytes; nil for "unlimited".
    public var soft: UInt64?
    /// What the process may raise it to by itself; nil for "unlimited".
    public var hard: UInt64?

    /// Reads the limit of a process; nil for one that has ended, or that may not be looked into.
    ///
    /// - Parameter process: its number, or "self".
    public init?(of process: String, on host: any HostDirectory) {
        let title = "Max locked memory"
        guard let limits = host.optionalText("/proc/\(process)/limits"),
            let line = limits.split(separator: "\n").first(where: { $0.hasPrefix(title) })
        else { return nil }
        let words = line.utf8.dropFirst(title.utf8.count).split(separator: UInt8(ascii: " ")).prefix(2)
        let values = words.map { UInt64(Substring($0)) }
        guard values.count == 2 else { return nil }
        soft = values[0]
        hard = values[1]
    }
}

extension HostDirectory {
    /// What the processes of a user have pinned, or may come to pin, in the user's own account, in bytes.
    ///
    /// The kernel does not tell that account. It is not above the sum of `VmPin` in /proc/PID/status; but a guest that
    /// has just been started will pin more, up to its own RLIMIT_MEMLOCK, which was set with all before it in mind. The
    /// larger of the two is the answer. Processes that end meanwhile, or that may not be looked into, are passed over.
    public func lockedMemory(claimedBy uid: UInt32) -> UInt64 {
        let processes: [Int32]
        do throws(HostAccessError) {
            processes = try entries("/proc").compactMap { Int32($0) }
        } catch {
            return 0
        }
        var pinned: UInt64 = 0
        var promised: UInt64 = 0
        for process in processes {
            guard let status = ProcessStatus(of: String(process), on: self), status.uid == uid else { continue }
            pinned = pinned.sumOrMax(status.pinned)
            // A limit of "unlimited" promises nothing.
            if self.process(process, hasOpen: "/dev/iommu") == true,
                let limit = LockedMemoryLimit(of: String(process), on: self)?.soft
            {
                promised = max(promised, limit)
            }
        }
        return max(pinned, promised)
    }
}

extension UInt64 {
    fileprivate func sumOrMax(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    fileprivate func productOrMax(_ factor: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}

internal import HostAccess

/// What is mounted, as the reading process sees it.
struct MountTable {
    /// One mount.
    struct Mount: Hashable {
        /// `259:2`, major and minor number of the file system's device; nil where the table does not say. File systems
        /// with devices of their own making (btrfs) have an anonymous one, of major number 0.
        var deviceNumber: String?
        /// Where.
        var point: String
        /// `ext4`.
        var type: String
        /// `/dev/nvme0n1p2`, `tank/home`, `tmpfs`.
        var source: String
    }

    /// In the order of the table.
    private(set) var mounts: [Mount] = []

    /// Reads `/proc/self/mountinfo` (proc_pid_mountinfo(5)), or `/proc/self/mounts` or `/proc/mounts` where a capture has
    /// only those. Nil when there is none of them.
    init?(on host: any HostAccess) {
        for (path, hasNumbers) in [
            ("/proc/self/mountinfo", true), ("/proc/self/mounts", false), ("/proc/mounts", false),
        ] {
            do {
                let text = String(decoding: try host.read(path, limit: 64 << 20), as: UTF8.self)
                mounts = text.split(separator: "\n").compactMap { Self.mount(in: $0, hasNumbers: hasNumbers) }
                return
            } catch {
                continue
            }
        }
        return nil
    }

    private static func mount(in line: Substring, hasNumbers: Bool) -> Mount? {
        let fields = line.split(separator: " ")
        guard hasNumbers else {
            guard fields.count >= 3 else { return nil }
            return Mount(
                deviceNumber: nil, point: unescaped(fields[1]), type: String(fields[2]), source: unescaped(fields[0]))
        }
        // Optional fields stand before a lone "-".
        guard fields.count >= 9, let dash = fields[6...].firstIndex(of: "-"), fields.count >= dash + 3 else {
            return nil
        }
        return Mount(
            deviceNumber: String(fields[2]), point: unescaped(fields[4]), type: String(fields[dash + 1]),
            source: unescaped(fields[dash + 2]))
    }

    /// Undoes the kernel's escapes for space, tab, newline and backslash: `\040`.
    static func unescaped(_ text: some StringProtocol) -> String {
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

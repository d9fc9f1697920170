internal import HostAccess

/// What is mounted in one mount namespace.
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
        /// The file system's own options (`rw,logdev=/dev/sdb1`); empty where the table does not tell them apart.
        var options = ""

        /// Devices that the file system keeps its journal or a part of its data on, besides its source.
        var furtherDevices: [String] {
            guard options.utf8.contains(UInt8(ascii: "/")) else { return [] }
            return options.split(separator: ",").compactMap { option in
                for key in ["logdev=", "rtdev=", "journal_path="] where option.hasPrefix(key) {
                    return String(option.dropFirst(key.count))
                }
                return nil
            }
        }
    }

    /// In the order of the table.
    private(set) var mounts: [Mount] = []

    /// Reads the reader's own table: `/proc/self/mountinfo` (proc_pid_mountinfo(5)), or `/proc/self/mounts` or
    /// `/proc/mounts` where a capture has only those. Nil when there is none of them.
    init?(on host: any HostAccess) {
        for (path, hasNumbers) in [
            ("/proc/self/mountinfo", true), ("/proc/self/mounts", false), ("/proc/mounts", false),
        ] {
            guard let text = Self.text(path, host) else { continue }
            mounts = text.split(separator: UInt8(ascii: "\n")).compactMap {
                Self.mount(in: String(decoding: $0, as: UTF8.self), hasNumbers: hasNumbers)
            }
            return
        }
        return nil
    }

    /// Reads the table of the mount namespace that a process is in, and of it only what can concern a disk: a container
    /// has some fifty mounts that do not, and a host may have hundreds of containers. Nil when the process has ended.
    init?(ofProcess pid: Int, on host: any HostAccess) {
        guard let text = Self.text("/proc/\(pid)/mountinfo", host) else { return nil }
        mounts = text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard Self.mayConcernADisk(line) else { return nil }
            return Self.mount(in: String(decoding: line, as: UTF8.self), hasNumbers: true)
        }
    }

    private static func text(_ path: String, _ host: any HostAccess) -> [UInt8]? {
        do { return try host.read(path, limit: 64 << 20) } catch { return nil }
    }

    /// Whether a line's file system has a real device's number, or may name its devices otherwise.
    private static func mayConcernADisk(_ line: ArraySlice<UInt8>) -> Bool {
        var spaces = 0
        for index in line.indices where line[index] == UInt8(ascii: " ") {
            spaces += 1
            guard spaces == 2 else { continue }
            let number = line[(index + 1)...]
            if !number.starts(with: "0:".utf8) { return true }
            break
        }
        let text = String(decoding: line, as: UTF8.self)
        return [" - btrfs ", " - zfs ", " - bcachefs "].contains { text.contains($0) }
    }

    private static func mount(in line: String, hasNumbers: Bool) -> Mount? {
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
            source: unescaped(fields[dash + 2]), options: fields.count > dash + 3 ? unescaped(fields[dash + 3]) : "")
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

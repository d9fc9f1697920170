internal import HostAccess
internal import Netlink
internal import PCI
internal import SystemPackage

/// The connections that the session came in on which this process runs: those of the ssh servers among its ancestors.
///
/// sudo strips SSH_CONNECTION from the environment, so they are found where they are: `/proc/PID/stat` names each parent,
/// the links in `/proc/PID/fd` the sockets of one, and `/proc/net/tcp` and `tcp6` the addresses of a socket (proc_net(5)).
struct SessionConnections {
    /// One connection of a server.
    struct Connection: Hashable {
        var pid: Int
        /// `sshd`, or `sshd-session` since OpenSSH 9.8.
        var command: String
        var local: IPAddress
        var peer: IPAddress
    }

    /// Every connection, the nearest ancestor's first.
    private(set) var connections: [Connection] = []
    /// What could not be looked at.
    private(set) var unseen: [String] = []

    private static let servers: Set<String> = ["sshd", "sshd-session", "sshd-auth", "dropbear"]
    /// More ancestors than any session has.
    private static let mostAncestors = 64

    init(on host: any HostAccess) {
        var sockets: [UInt64: (pid: Int, command: String)] = [:]
        var order: [UInt64] = []
        for process in Self.ancestors(on: host) where Self.servers.contains(process.command) {
            guard let inodes = Self.sockets(of: process.pid, on: host) else {
                unseen.append(
                    "not permitted to look at the sockets of process \(process.pid) (\(process.command)), so through which "
                        + "interface this session came in is not known: root sees it")
                continue
            }
            // A server hands its connection down to its children: it counts once, with the nearest.
            for inode in inodes.sorted() where sockets[inode] == nil {
                sockets[inode] = process
                order.append(inode)
            }
        }
        guard !sockets.isEmpty else { return }
        var found: [UInt64: Connection] = [:]
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let bytes: [UInt8]
            do throws(HostAccessError) {
                bytes = try host.read(table, limit: 256 << 20)
            } catch {
                // A kernel without IPv6 has no tcp6.
                if error.errno != .noSuchFileOrDirectory || table == "/proc/net/tcp" {
                    unseen.append(
                        "could not look through which interface this session came in (\(table): \(error.errno))")
                }
                continue
            }
            for line in bytes.split(separator: UInt8(ascii: "\n")) {
                guard let socket = Socket(line), let server = sockets[socket.inode] else { continue }
                found[socket.inode] = Connection(
                    pid: server.pid, command: server.command, local: socket.local.unmapped, peer: socket.peer.unmapped)
            }
        }
        connections = order.compactMap { found[$0] }
    }

    // MARK: processes

    /// The processes above this one, the nearest first.
    private static func ancestors(on host: any HostAccess) -> [(pid: Int, command: String)] {
        var found: [(pid: Int, command: String)] = []
        var next = host.optionalText("/proc/self/stat").flatMap(Stat.init)?.parent ?? 0
        while next > 0, found.count < mostAncestors, !found.contains(where: { $0.pid == next }),
            let process = host.optionalText("/proc/\(next)/stat").flatMap(Stat.init)
        {
            found.append((next, process.command))
            next = process.parent
        }
        return found
    }

    /// The first fields of `/proc/PID/stat`: pid (command) state parent. The command may hold anything, ")" too.
    private struct Stat {
        var command: String
        var parent: Int

        init?(_ text: String) {
            guard let open = text.utf8.firstIndex(of: UInt8(ascii: "(")),
                let close = text.utf8.lastIndex(of: UInt8(ascii: ")")), open < close
            else { return nil }
            command = String(text[text.utf8.index(after: open)..<close])
            let fields = text[text.utf8.index(after: close)...].split(separator: " ", maxSplits: 2)
            guard fields.count >= 2, let parent = Int(fields[1]) else { return nil }
            self.parent = parent
        }
    }

    /// The inodes of a process's sockets; nil when it is not permitted to look.
    private static func sockets(of pid: Int, on host: any HostAccess) -> Set<UInt64>? {
        let files: any HostDirectory
        let numbers: [String]
        do {
            files = try host.directory("/proc/\(pid)/fd")
            numbers = try files.entries("")
        } catch {
            return nil
        }
        var inodes: Set<UInt64> = []
        for number in numbers {
            let prefix = "socket:["
            guard let target = files.linkName(number), target.hasPrefix(prefix), target.hasSuffix("]") else { continue }
            if let inode = UInt64(target.dropFirst(prefix.count).dropLast()) { inodes.insert(inode) }
        }
        return inodes
    }

    // MARK: sockets

    /// A line of `/proc/net/tcp` that is a connection: number local remote state queues timer retransmits
    /// user timeout inode …
    private struct Socket {
        var local: IPAddress
        var peer: IPAddress
        var inode: UInt64

        init?(_ line: ArraySlice<UInt8>) {
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 10)
            // Not TCP_LISTEN. One that the other side has closed already is the session's as long as the server has it open.
            guard fields.count >= 10, !fields[3].elementsEqual("0A".utf8),
                let inode = UInt64(String(decoding: fields[9], as: UTF8.self)), inode != 0,
                let local = Self.address(fields[1]), let peer = Self.address(fields[2])
            else { return nil }
            (self.local, self.peer, self.inode) = (local, peer, inode)
        }

        /// `0500A8C0:0016`: words of 32 bits as numbers of the machine's own byte order, then the port.
        private static func address(_ text: ArraySlice<UInt8>) -> IPAddress? {
            let digits = text.prefix { $0 != UInt8(ascii: ":") }
            guard digits.count == 8 || digits.count == 32 else { return nil }
            var bytes: [UInt8] = []
            var rest = digits
            while !rest.isEmpty {
                guard let word = hexadecimalNumber(rest.prefix(8)) else { return nil }
                rest = rest.dropFirst(8)
                for shift: UInt32 in [24, 16, 8, 0] {
                    bytes.append(UInt8(truncatingIfNeeded: word.bigEndian >> shift))
                }
            }
            return IPAddress(bytes: bytes)
        }
    }
}

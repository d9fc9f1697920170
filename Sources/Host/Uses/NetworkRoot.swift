internal import Netlink

/// A root file system over the network, as the kernel's command line names it: Documentation/admin-guide/nfs/nfsroot.rst,
/// and dracut.cmdline(7).
struct NetworkRoot: Hashable {
    /// `NFS (root=/dev/nfs, nfsroot=10.0.0.1:/srv, ip=…)`: what it comes over, with the arguments that say so.
    var what: String
    /// Where it comes through: what `bootdev=` and `ip=` say.
    var way: NetworkStorage.Way

    /// Nil when the root is a local one.
    init?(commandLine: String) {
        var arguments: [Substring: Substring] = [:]
        for argument in commandLine.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            let parts = argument.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            // dracut's ip= may come once for each interface: the first is as good as any without another word.
            if arguments[parts[0]] == nil || parts[0] != "ip" { arguments[parts[0]] = parts[1] }
        }
        let root = arguments["root"] ?? ""
        let netroot = arguments["netroot"] ?? ""
        guard let transport = Self.transport([root, netroot], arguments) else { return nil }

        let keys: [Substring] = ["root", "netroot", "nfsroot", "ip", "bootdev", "ifname"]
        let evidence = keys.compactMap { key in arguments[key].map { "\(key)=\($0)" } }
        what = "\(transport) (\(evidence.joined(separator: " ")))"
        let fields = Self.fields(arguments["ip"] ?? "")
        let server = Self.server(arguments["nfsroot"] ?? (netroot.isEmpty ? root : netroot), fields)
        way = NetworkStorage.Way(
            interface: arguments["bootdev"].map { String($0) } ?? Self.device(fields),
            local: fields.first.flatMap { IPAddress($0) }, peer: server)
    }

    private static func transport(_ roots: [Substring], _ arguments: [Substring: Substring]) -> String? {
        for root in roots {
            if root == "/dev/nfs" || root.hasPrefix("nfs:") || root.hasPrefix("nfs4:") { return "NFS" }
            if root.hasPrefix("iscsi:") || root == "iscsi" { return "iSCSI" }
        }
        return arguments["nfsroot"] != nil && roots[0].isEmpty ? "NFS" : nil
    }

    /// The fields of `ip=CLIENT:SERVER:GATEWAY:NETMASK:HOST:DEVICE:AUTOCONF`, an IPv6 address in brackets being one of them.
    private static func fields(_ text: Substring) -> [String] {
        var fields = [""]
        var isBracketed = false
        for character in text {
            switch character {
            case "[": isBracketed = true
            case "]": isBracketed = false
            case ":" where !isBracketed: fields.append("")
            default: fields[fields.count - 1].append(character)
            }
        }
        return fields
    }

    /// The kernel's sixth field, or the first of dracut's `ip=DEVICE:AUTOCONF`.
    private static func device(_ fields: [String]) -> String? {
        if fields.count >= 6 { return fields[5].isEmpty ? nil : fields[5] }
        guard fields.count == 2, IPAddress(fields[0]) == nil, !fields[0].isEmpty else { return nil }
        return fields[0]
    }

    /// The server's address: in `10.0.0.1:/srv`, `nfs:10.0.0.1:/srv`, `iscsi:10.0.0.1::::iqn…`, or in `ip=`.
    private static func server(_ place: Substring, _ fields: [String]) -> IPAddress? {
        for part in Self.fields(place).prefix(3) {
            if let address = IPAddress(String(part.split(separator: "@").last ?? "")) { return address }
        }
        return fields.count > 1 ? IPAddress(fields[1]) : nil
    }
}

internal import HostAccess
internal import Netlink
internal import PCI

/// The host's storage that comes over the network: file systems mounted over NFS or SMB, iSCSI sessions, and what the
/// firmware or the kernel's command line says that the host's root came from.
struct NetworkStorage {
    /// How to find the interface that something goes through: what is known first, and what is found of it, counts.
    struct Way: Hashable {
        /// Its name. It may have another one by now: udev renames after the initial RAM disk's time.
        var interface: String?
        /// The connection's own address.
        var local: IPAddress?
        /// The other side's, to which a route leads.
        var peer: IPAddress?
    }

    /// A mounted file system, or the root that one was mounted from at boot.
    struct Mount: Hashable {
        /// `/ is mounted over NFS from 10.0.0.1:/srv/root`.
        var what: String
        var way: Way
    }

    /// An iSCSI session of the software initiator.
    struct Session: Hashable {
        /// `the iSCSI session session1 with 10.0.0.9`.
        var name: String
        var way: Way
        /// The disks that are its logical units: `sda`.
        var disks: [String]
    }

    /// In the order of the mount table; the root that the command line names comes last.
    private(set) var mounts: [Mount] = []
    private(set) var sessions: [Session] = []
    /// What goes through a function itself, without an interface to show for it.
    private(set) var functions: [PCIAddress: [Use]] = [:]

    /// Whether a disk of the host's comes over the network.
    var hasDisks: Bool { sessions.contains { !$0.disks.isEmpty } }

    init(on host: any HostAccess) {
        readMounts(host)
        readCommandLine(host)
        readSessions(host)
        functions = ISCSIBootTable(on: host).uses
    }

    // MARK: mounts

    private static let protocols = ["nfs": "NFS", "nfs4": "NFS", "cifs": "SMB", "smb3": "SMB"]

    private mutating func readMounts(_ host: any HostAccess) {
        for mount in MountTable(on: host)?.mounts ?? [] {
            guard let name = Self.protocols[mount.type] else { continue }
            let options = Self.options(mount.options)
            let what = "\(mount.point) is mounted over \(name) from \(mount.source)"
            // NFS 4 tells its own address, which is 0.0.0.0 when nobody calls back.
            let own = options["clientaddr"].flatMap { IPAddress($0) }.flatMap { $0.isUnspecified ? nil : $0 }
            mounts.append(Mount(what: what, way: Way(local: own, peer: options["addr"].flatMap { IPAddress($0) })))
        }
    }

    private static func options(_ text: String) -> [Substring: String] {
        var options: [Substring: String] = [:]
        for option in text.split(separator: ",") {
            let parts = option.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { options[parts[0]] = String(parts[1]) }
        }
        return options
    }

    // MARK: the kernel's command line

    /// A root over the network that no mount shows: it may lie below an overlay, in a mount namespace that is gone.
    private mutating func readCommandLine(_ host: any HostAccess) {
        guard let text = host.optionalText("/proc/cmdline") else { return }
        guard let root = NetworkRoot(commandLine: text) else { return }
        guard !mounts.contains(where: { $0.what.hasPrefix("/ is ") }) else { return }
        mounts.append(Mount(what: "the host's root comes over \(root.what)", way: root.way))
    }

    // MARK: iSCSI

    /// `/sys/class/iscsi_session`: Documentation/ABI has none of it; drivers/scsi/scsi_transport_iscsi.c.
    ///
    /// A session of an adapter that does iSCSI itself lies below its PCI function, and so do its disks: they need no
    /// interface to be found.
    private mutating func readSessions(_ host: any HostAccess) {
        let path = "/sys/class/iscsi_session/"
        for name in Self.names(path, host) {
            let target: String
            do { target = try host.readLink(path + name) } catch { continue }
            guard ClassDevices.function(of: target) == nil else { continue }
            let device = "\(path)\(name)/device"
            let number = name.dropFirst("session".count)
            let connection = "/sys/class/iscsi_connection/connection\(number):0/"
            let peer =
                (host.optionalText(connection + "address") ?? host.optionalText(connection + "persistent_address"))
            let adapter = target.split(separator: "/").first { $0.hasPrefix("host") } ?? ""
            let own = host.optionalText("/sys/class/iscsi_host/\(adapter)/ipaddress").flatMap { IPAddress($0) }
            let portal = peer.map { " with \($0)" } ?? ""
            var disks: [String] = []
            for unit in Self.names(device, host) where unit.hasPrefix("target") {
                for child in Self.names("\(device)/\(unit)", host) where child.first?.isNumber == true {
                    disks += Self.names("\(device)/\(unit)/\(child)/block", host)
                }
            }
            sessions.append(
                Session(
                    name: "the iSCSI session \(name)\(portal)",
                    way: Way(local: own, peer: peer.flatMap { IPAddress($0) }),
                    disks: disks))
        }
    }

    private static func names(_ path: String, _ host: any HostAccess) -> [String] {
        do { return try host.entries(path).sorted() } catch { return [] }
    }
}

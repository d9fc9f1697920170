internal import Host
internal import HostAccess
internal import TestSupport
internal import Testing

extension UsedHost {
    /// A process with a parent, as `/proc/PID/stat` has it.
    fileprivate func process(_ pid: String, _ command: String, parent: Int) {
        tree.file("proc/\(pid)/stat", "\(pid == "self" ? "999" : pid) (\(command)) S \(parent) 1 1 0 -1 4194560 0\n")
        tree.file("proc/\(pid)/comm", command + "\n")
    }

    /// Lines of /proc/net/tcp or tcp6, after its header.
    fileprivate func sockets(_ table: String, _ lines: String...) {
        tree.file("proc/net/" + table, "  sl  local_address rem_address   st\n" + lines.joined(separator: "\n") + "\n")
    }
}

@Suite("The ssh session that a question is asked from")
struct SessionTests {
    let host = UsedHost()
    var network = SampleNetwork()

    /// vfioctl, sudo, a shell, sshd of the session, sshd's monitor, the listening sshd, init.
    init() throws {
        try network.address("192.168.1.5/24", on: "eth0")
        host.process("self", "vfioctl", parent: 50)
        host.process("50", "sudo", parent: 40)
        host.process("40", "a (shell) x", parent: 30)
        host.process("30", "sshd-session", parent: 20)
        host.process("20", "sshd-session", parent: 10)
        host.process("10", "sshd", parent: 1)
        host.process("1", "systemd", parent: 0)
        host.tree.link("proc/30/fd/4", to: "socket:[777]")
        host.tree.link("proc/30/fd/5", to: "socket:[778]")
        host.tree.link("proc/20/fd/4", to: "socket:[777]")
        host.tree.link("proc/10/fd/3", to: "socket:[600]")
        host.sockets(
            "tcp", "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 600 1 0",
            "   1: 0501A8C0:0016 0900A8C0:C350 01 00000000:00000000 02:000A7214 00000000     0        0 777 4 0",
            "   2: 0501A8C0:0016 0800A8C0:C351 01 00000000:00000000 02:000A7214 00000000     0        0 900 4 0")
    }

    private let session = Use(
        by: .session, detail: "the ssh session of process 30 (sshd-session) with 192.168.0.9 goes through eth0")

    @Test("is found from the sockets of the ssh servers among the ancestors, whatever sudo strips")
    func found() throws {
        #expect(
            try host.uses(with: network) == [Use(by: .address, detail: "eth0 has 192.168.1.5"), session])
        #expect(try host.device("02:00.0").unseen == [])
    }

    @Test("over IPv6's sockets too, with an IPv4 address in them")
    func mapped() throws {
        host.sockets("tcp")
        host.sockets(
            "tcp6",
            "   0: 0000000000000000FFFF00000501A8C0:0016 0000000000000000FFFF00000900A8C0:C350 01 0:0 00:0 0 0 0 777 1")
        #expect(try host.uses(with: network).contains(session))
    }

    @Test("by a link-local address, which is no use of its own")
    mutating func linkLocal() throws {
        network.addresses = []
        try network.address("fe80::5054:ff:fe00:1/64", on: "eth0")
        host.sockets(
            "tcp6",
            "   0: 000080FE00000000FF005450010000FE:0016 000080FE000000000000000009000000:C350 01 0:0 00:0 0 0 0 777 1")
        #expect(
            try host.uses(with: network) == [
                Use(by: .session, detail: "the ssh session of process 30 (sshd-session) with fe80::9 goes through eth0")
            ])
    }

    @Test("through a VLAN on a bond, of which the card is part")
    mutating func throughBond() throws {
        network = SampleNetwork()
        network.link("bond0", kind: "bond")
        network.link("bond0.5", kind: "vlan", on: "bond0")
        network.enslave("eth0", to: "bond0")
        try network.address("192.168.1.5/24", on: "bond0.5")
        let uses = try host.uses(with: network)
        #expect(
            uses.first
                == Use(
                    by: .session,
                    detail: "the ssh session of process 30 (sshd-session) with 192.168.0.9 goes through bond0.5, which "
                        + "stands on eth0"))
        #expect(uses.map(\.by) == [.session, .enslaved])
    }

    @Test("to an address on the loopback, by the way back")
    mutating func announced() throws {
        network = SampleNetwork()
        try network.address("192.168.1.5/32", on: "lo")
        try network.address("10.0.0.2/24", on: "eth0")
        try network.route("192.168.0.0/16", via: "10.0.0.1", through: "eth0")
        #expect(try host.uses(with: network).contains(session))
    }

    @Test("from this host itself uses no card")
    mutating func local() throws {
        try network.address("192.168.0.9/24", on: "eth0")
        #expect(try host.uses(with: network).map(\.by) == [.address])
    }

    @Test("where the sockets may not be looked at, that is said")
    func forbidden() throws {
        host.tree.removeDirectory("proc/30/fd")
        host.tree.removeDirectory("proc/20/fd")
        let device = try host.with(network).device("02:00.0")
        #expect(device.uses.map(\.by) == [.address])
        #expect(
            device.unseen.contains {
                $0.hasPrefix("not permitted to look at the sockets of process 30 (sshd-session)")
            })
    }

    @Test("ancestors that go in circles, and lines of nonsense, end")
    func nonsense() throws {
        host.process("1", "init", parent: 50)
        host.sockets("tcp", "", "x", "0: 1:1 1:1 01 0 0 0 0 0 777", "0: zzzzzzzz:1 00000000:1 01 0 0 0 0 0 777")
        #expect(try host.uses(with: network).map(\.by) == [.address])
        host.tree.file("proc/self/stat", "999 vfioctl S")
        #expect(try host.uses(with: network).map(\.by) == [.address])
    }
}

extension UsedHost {
    fileprivate func with(_ network: SampleNetwork) throws -> UsedHost {
        try network.store(in: self)
        return self
    }
}

@Suite("Storage that comes over the network")
struct NetworkStorageTests {
    let host = UsedHost()
    var network = SampleNetwork()

    init() throws {
        try network.address("192.168.1.5/24", on: "eth0")
        try network.route("0.0.0.0/0", via: "192.168.1.1", through: "eth0")
        network.link("eth9")
        try network.address("10.9.0.5/24", on: "eth9")
    }

    private func details(_ kind: Use.Kind) throws -> [String] {
        try host.uses(with: network).filter { $0.by == kind }.map(\.detail)
    }

    @Test("NFS: by its own address where the mount tells it, else by the route to the server")
    func nfs() throws {
        host.mounts(
            "25 1 0:30 / / rw shared:1 - nfs4 nas:/srv/root rw,vers=4.2,clientaddr=192.168.1.5,addr=10.9.0.1",
            "26 25 0:31 / /home rw - nfs nas:/home rw,vers=3,addr=10.7.7.7",
            "27 25 0:32 / /media rw - cifs //nas/media rw,addr=10.9.0.1",
            "28 25 0:33 / /here rw - nfs4 localhost:/x rw,clientaddr=127.0.0.1,addr=127.0.0.1")
        #expect(
            try details(.mount) == [
                "/ is mounted over NFS from nas:/srv/root through eth0",
                "/home is mounted over NFS from nas:/home through eth0",
            ])
    }

    @Test(
        "an NFS root below an overlay is what the kernel's command line says",
        arguments: [
            "root=/dev/nfs nfsroot=10.9.0.1:/srv ip=10.9.0.5:10.9.0.1::255.255.255.0:host:eth0:none",
            "root=nfs:10.7.7.7:/srv ip=dhcp", "root=/dev/nfs nfsroot=10.7.7.7:/srv,v3 ip=dhcp quiet",
            "root=nfs4:10.7.7.7:/srv:ro bootdev=eth0 ip=eth0:dhcp", "root=/dev/nfs nfsroot=/srv ip=::::host:eth0:dhcp",
            "netroot=iscsi:@10.7.7.7::::iqn.2026-01.org.example:root root=UUID=1 ip=192.168.1.5:::::ens1:none",
        ])
    func commandLine(text: String) throws {
        host.mounts("25 1 0:30 / / rw - overlay overlay rw")
        host.tree.file("proc/cmdline", "BOOT_IMAGE=/vmlinuz " + text + "\n")
        let found = try details(.mount)
        #expect(found.count == 1)
        let kind = text.contains("iscsi") ? "iSCSI" : "NFS"
        #expect(found.first?.hasPrefix("the host's root comes over \(kind) (") == true)
        #expect(found.first?.hasSuffix(" through eth0") == true)
    }

    @Test("a local root is none over the network", arguments: ["root=/dev/vda1 ip=dhcp", "root=UUID=1 nfsroot=x", ""])
    func localRoot(text: String) throws {
        host.tree.file("proc/cmdline", text + "\n")
        #expect(try details(.mount) == [])
    }

    @Test("a root over the network through an interface that is not found is said")
    mutating func notFound() throws {
        network = SampleNetwork()
        host.tree.file("proc/cmdline", "root=/dev/nfs ip=dhcp\n")
        #expect(try details(.mount) == [])
        #expect(try host.device("02:00.0").unseen.contains { $0.contains("the host's root comes over NFS") })
    }

    /// A session of the software initiator with one disk, sda.
    private func session() {
        let home = "sys/devices/platform/host3/session1"
        host.tree.link(
            "sys/class/iscsi_session/session1", to: "../../devices/platform/host3/session1/iscsi_session/session1")
        host.tree.link(home + "/iscsi_session/session1/device", to: "../..")
        host.tree.directory(home + "/iscsi_session/session1")
        host.tree.file(home + "/connection1:0/iscsi_connection/connection1:0/address", "10.7.7.7\n")
        host.tree.link(
            "sys/class/iscsi_connection/connection1:0",
            to: "../../devices/platform/host3/session1/connection1:0/iscsi_connection/connection1:0")
        host.tree.file("sys/class/iscsi_host/host3/ipaddress", "192.168.1.5\n")
        host.blockDevice("sda", at: home + "/target3:0:0/3:0:0:0/block/sda", number: "8:0")
        host.tree.link("sys/block/sda", to: "../devices/platform/host3/session1/target3:0:0/3:0:0:0/block/sda")
    }

    @Test("iSCSI: a mounted disk of a session uses the card that the session goes through")
    func iscsi() throws {
        session()
        host.mounts("25 1 8:0 / / rw - ext4 /dev/sda rw")
        #expect(
            try details(.mount) == [
                "sda is mounted on /, and the iSCSI session session1 with 10.7.7.7 goes through eth0"
            ])
    }

    @Test("iSCSI: a session whose disk nobody uses is one all the same; without its own address the route tells")
    func idleISCSI() throws {
        session()
        host.tree.file("sys/class/iscsi_host/host3/ipaddress", "\n")
        #expect(try details(.session) == ["the iSCSI session session1 with 10.7.7.7 goes through eth0"])
    }

    @Test("iSCSI: the card that the firmware booted through is in its table")
    func firmware() throws {
        host.tree.file("sys/firmware/ibft/ethernet0/flags", "3\n")
        host.tree.link("sys/firmware/ibft/ethernet0/device", to: "../../../devices/pci0000:00/0000:02:00.0")
        host.tree.file("sys/firmware/ibft/ethernet1/flags", "1\n")
        host.tree.link("sys/firmware/ibft/ethernet1/device", to: "../../../devices/pci0000:00/0000:01:00.0")
        host.tree.file("sys/firmware/ibft/target0/target-name", "iqn.2026-01.org.example:root\n")
        host.tree.file("sys/firmware/ibft/target0/ip-addr", "10.7.7.7\n")
        host.tree.file("sys/firmware/ibft/target0/nic-assoc", "0\n")
        #expect(
            try details(.mount) == [
                "the firmware booted this host over iSCSI from iqn.2026-01.org.example:root at 10.7.7.7, through this card "
                    + "(/sys/firmware/ibft/ethernet0)"
            ])
        #expect(try !host.uses(of: "01:00.0").contains { $0.by == .mount })
    }
}

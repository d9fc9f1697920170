internal import Changes
internal import Host
internal import HostAccess
internal import HostSimulator
internal import Netlink
internal import PCI
internal import Passthrough
internal import SystemPackage
internal import TestSupport
internal import Testing

@testable internal import Capture

@Suite("A capture is what the host answered")
struct HostCaptureTests {
    let captured = CapturedHost()

    @Test("it reads back into an equal snapshot, with the same interrupts")
    func equalSnapshot() throws {
        let (capture, directory) = try captured.capture()
        let snapshot = try HostSnapshot.read(from: directory)
        #expect(try snapshot == HostSnapshot.read(from: captured.host))
        #expect(try capture.isEqual(to: directory))
        #expect(snapshot.devices.count == 2)
        for device in snapshot.devices {
            #expect(
                try InterruptSnapshot.read(from: directory, of: device)
                    == InterruptSnapshot.read(from: captured.host, of: device))
        }
    }

    @Test("a capture of a capture is the same tree")
    func captureOfCapture() throws {
        let (capture, directory) = try captured.capture()
        #expect(try HostCapture.take(of: directory).tree == capture.tree)
    }

    @Test("the simulated kernel loads it, and makes a plan of it")
    func simulated() throws {
        let (_, directory) = try captured.capture()
        let host = try SimulatedHost(loading: directory)
        let snapshot = try HostSnapshot.read(from: host)
        #expect(try snapshot == HostSnapshot.read(from: captured.host))
        let device = snapshot.devices[1]
        let plan = CreateVirtualFunctions(physicalFunction: device.address, count: 2).plan(
            on: snapshot, interrupts: InterruptSnapshot.read(from: host, of: device), remembered: nil)
        #expect(!plan.isRefused)
        #expect(!plan.steps.isEmpty)
        #expect(host.files()["/" + CapturedHost.card + "/sriov_numvfs"] == "0\n")
    }

    @Test("a host in memory is captured as well")
    func hostInMemory() throws {
        let host = try SimulatedHost(loading: captured.host)
        let capture = try HostCapture.take(of: host)
        #expect(capture.snapshot == (try HostCapture.take(of: captured.host).snapshot))
    }

    @Test("only what was asked is in it")
    func nothingElse() throws {
        captured.tree.file("etc/shadow", "root:secret\n")
        captured.tree.file(CapturedHost.card + "/never-asked", "1\n")
        let (capture, _) = try captured.capture()
        #expect(
            !capture.tree.nodes.keys.contains {
                $0.hasPrefix("/etc/shadow") || $0.hasSuffix("never-asked") && capture.tree.nodes[$0] != .unread
            })
    }

    @Test("a name that was listed and not looked at is there, and leads nowhere")
    func unread() throws {
        let (capture, directory) = try captured.capture()
        #expect(capture.tree.nodes["/" + CapturedHost.card + "/net/eth0/address"] == .unread)
        let interface = try directory.directory("/sys/class/net/eth0")
        #expect(Set(try interface.entries("")) == ["address", "upper_br0", "master"])
        #expect(!interface.exists("address"))
        #expect(throws: HostAccessError.self) { try interface.read("address") }
    }

    @Test("what was refused is refused again, with the same answer")
    func refusals() throws {
        var tree = try HostCapture.take(of: captured.host).tree
        let path = "/" + CapturedHost.card + "/uevent"
        for errno in [1, 5, 13, 95, 121] as [CInt] {
            tree.nodes[path] = .refused(CapturedRefusal(HostAccessError(.read, path, errno: .init(rawValue: errno))))
            let work = TemporaryDirectory()
            var writer = try CaptureWriter(work.path + "/c")
            try writer.write(tree)
            writer.keep()
            let directory = try CapturedDirectory(work.path + "/c")
            let device = try directory.directory("/sys/bus/pci/devices/0000:01:00.0")
            for read in [{ try device.read("uevent") }, { try directory.read(path) }] {
                let error = #expect(throws: HostAccessError.self) { try read() }
                #expect(error?.errno.rawValue == errno)
            }
            let error = #expect(throws: HostAccessError.self) { try SimulatedHost(loading: directory).read(path) }
            #expect(error?.errno.rawValue == errno)
            #expect(try HostCapture.take(of: directory).tree.nodes[path] == tree.nodes[path])
        }
    }

    @Test("files longer than their reader allows are refused again")
    func tooLong() throws {
        captured.tree.file(CapturedHost.card + "/uevent", String(repeating: "x", count: 1 << 17))
        let (capture, directory) = try captured.capture()
        #expect(try capture.isEqual(to: directory))
        #expect(capture.snapshot.devices.contains { $0.problems.contains { $0.contains("too large") } })
    }

    @Test("a file that changes is asked once")
    func changing() throws {
        let recorder = RecordingHost(try captured.host)
        #expect(try recorder.text("/proc/cmdline") == "root=/dev/vda intel_iommu=on")
        captured.tree.file("proc/cmdline", "changed\n")
        #expect(try recorder.text("/proc/cmdline") == "root=/dev/vda intel_iommu=on")
        #expect(recorder.tree().nodes["/proc/cmdline"] == .file(Array("root=/dev/vda intel_iommu=on\n".utf8)))
    }

    @Test("nothing is changed through it")
    func readOnly() throws {
        let recorder = RecordingHost(try SimulatedHost(loading: captured.host))
        let path = "/" + CapturedHost.card + "/driver_override"
        let requests: [() throws -> Void] = [
            { try recorder.write("vfio-pci", to: path, timeLimit: .seconds(1)) },
            {
                try recorder.directory("/" + CapturedHost.card)
                    .write("vfio-pci", to: "driver_override", timeLimit: .seconds(1))
            },
            { try recorder.loadModule("vfio-pci") }, { try recorder.replaceFile("/run/x", with: []) },
            { try recorder.removeFile(path) }, { _ = try recorder.lock("/run/vfioctl/lock") },
        ]
        for request in requests {
            #expect { try request() } throws: { ($0 as? HostAccessError)?.errno == .readOnlyFileSystem }
        }
        #expect(try recorder.text(path) == "(null)")
    }
}

@Suite("What a capture keeps of processes")
struct ProcessFilterTests {
    let captured = CapturedHost()

    /// Binds the card to vfio-pci, so that its holders are looked for.
    func bindToVFIO() {
        captured.tree.link(CapturedHost.card + "/driver", to: "../../../../bus/pci/drivers/vfio-pci")
        captured.tree.link(
            "sys/bus/pci/drivers/vfio-pci/0000:01:00.0", to: "../../../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0")
        captured.tree.file(CapturedHost.card + "/vfio-dev/vfio0/dev", "511:0\n")
        captured.tree.file("dev/vfio/1", "")
    }

    @Test("who has a device open, and which; no argument, no other file")
    func holders() throws {
        bindToVFIO()
        captured.process(1, "init", open: ["/dev/null", "/home/alice/diary"])
        captured.process(40, "qemu", open: ["/dev/vfio/1", "/home/alice/disk.qcow2", "socket:[77]", "/dev/pts/0"])
        captured.process(41, "editor", open: ["/home/alice/letter"])
        let (capture, directory) = try captured.capture()
        let card = try HostSnapshot.read(from: directory).devices[1]
        #expect(card.uses.contains { $0.by == .vfio && $0.detail.contains("40 (qemu)") })
        #expect(try directory.entries("/proc/40/fd") == ["0"])
        #expect(try directory.readLink("/proc/40/fd/0") == "/dev/vfio/1")
        #expect(!directory.exists("/proc/41"))
        #expect(!(try directory.entries("/proc").contains("41")))
        for (path, node) in capture.tree.nodes {
            #expect(!path.contains("cmdline") || path == "/proc/cmdline")
            if case .file(let content) = node {
                #expect(!String(decoding: content, as: UTF8.self).contains("--password"))
            }
            if case .link(let target) = node { #expect(!target.contains("alice")) }
        }
    }

    @Test("the session that a capture is made in, found from an ancestor's socket; no other connection")
    func session() throws {
        let tree = captured.tree
        for (pid, command, parent, open) in [
            (1, "systemd", 0, [String]()), (30, "sshd", 1, ["socket:[700]", "/dev/null"]), (31, "bash", 30, []),
            (7, "vfioctl", 31, []), (50, "sshd", 1, ["socket:[800]"]),
        ] {
            captured.process(pid, command, open: open, parent: parent)
        }
        tree.link("proc/net", to: "self/net")
        tree.file(
            "proc/7/net/tcp",
            """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 4D0200C0:0016 0A0200C0:C350 01 00000000:00000000 02:0 00000000     0        0 700 2 0 20 4 31 10 -1
               1: 4D0200C0:0016 0B0200C0:C351 01 00000000:00000000 02:0 00000000     0        0 800 2 0 20 4 31 10 -1

            """)
        tree.file(
            "netlink/link", bytes: try DumpBytes.links([Link(index: 2, name: "eth0")]))
        tree.file(
            "netlink/address",
            bytes:
                try DumpBytes.addresses([
                    InterfaceAddress(interface: 2, local: try #require(IPAddress("192.0.2.77")), prefixLength: 24)
                ]))
        tree.file(
            "netlink/route",
            bytes:
                try DumpBytes.routes([
                    Route(
                        destination: try #require(IPPrefix(.v4(0), length: 0)),
                        nextHops: [Route.NextHop(interface: 2, gateway: IPAddress("192.0.2.1"))])
                ]))
        let (capture, directory) = try captured.capture()
        #expect(capture.snapshot.devices[1].uses.map(\.by).contains(.session), "\(capture.snapshot.devices[1])")
        #expect(try directory.entries("/proc/30/fd") == ["0"])
        #expect(!directory.exists("/proc/50"))
        #expect(try !directory.text("/proc/net/tcp").contains("0B0200C0"))

        // Redacted, everything is used by the same, and no address is the host's.
        let work = TemporaryDirectory()
        var redacted = capture
        redacted.redact()
        var writer = try CaptureWriter(work.path + "/c")
        try writer.write(redacted.tree)
        writer.keep()
        #expect(try redacted.isEqual(to: CapturedDirectory(work.path + "/c")))
        let card = try HostSnapshot.read(from: CapturedDirectory(work.path + "/c")).devices[1]
        #expect(card.uses.map(\.by) == capture.snapshot.devices[1].uses.map(\.by))
        #expect(card.uses.contains { $0.detail.contains("240.0.0.") })
        #expect(!card.uses.contains { $0.detail.contains("192.0.2") })
    }

    @Test("a process whose files may not be looked at stays one")
    func notPermitted() throws {
        bindToVFIO()
        captured.process(1, "init")
        captured.process(7, "vfioctl")
        captured.tree.removeDirectory("proc/1/fd")
        captured.tree.link("proc/1/fd", to: ".refused-EACCES")
        let (capture, directory) = try captured.capture()
        let card = try #require(capture.snapshot.devices.last)
        #expect(card.unseen.contains { $0.contains("not permitted to look at the open files of 1 process") })
        #expect(try capture.isEqual(to: directory))
        #expect(try HostSnapshot.read(from: SimulatedHost(loading: directory)).devices.last?.unseen == card.unseen)
    }
}

@Suite("What a capture keeps of answers that are no files of sysfs")
struct OtherAnswerTests {
    let captured = CapturedHost()

    @Test("netlink's dumps, modules by alias, what is on disks")
    func questions() throws {
        captured.tree.file("proc/sys/kernel/osrelease", "6.12\n")
        let host = ScriptedHost(try captured.host)
        let recorder = RecordingHost(host)
        #expect(try recorder.netlinkDump(.link) == [1, 2, 3])
        #expect(try recorder.modules(claiming: "pci:v*[x]?") == ["igb", "igb_uio"])
        #expect(try recorder.modules(claiming: "pci:none") == [])
        #expect(try recorder.content(ofBlockDevice: "sda") == DiskContent(type: "ext4", label: "my disk"))
        #expect(try recorder.content(ofBlockDevice: "sdb") == nil)
        let error = #expect(throws: HostAccessError.self) { try recorder.content(ofBlockDevice: "sdc") }
        #expect(error?.errno == .permissionDenied)

        let work = TemporaryDirectory()
        var writer = try CaptureWriter(work.path + "/c")
        try writer.write(recorder.tree())
        writer.keep()
        let directory = try CapturedDirectory(work.path + "/c")
        #expect(try directory.netlinkDump(.link) == [1, 2, 3])
        #expect(try directory.modules(claiming: "pci:v*[x]?") == ["igb", "igb_uio"])
        #expect(try directory.modules(claiming: "pci:v1[x]1") == [])
        #expect(try directory.modules(claiming: "pci:none") == [])
        #expect(try directory.content(ofBlockDevice: "sda") == DiskContent(type: "ext4", label: "my disk"))
        #expect(try directory.content(ofBlockDevice: "sdb") == nil)
        let again = #expect(throws: HostAccessError.self) { try directory.content(ofBlockDevice: "sdc") }
        #expect(again?.errno == .permissionDenied)
    }

    @Test("the beginning of a file that is not read to its end, unless it is")
    func beginnings() throws {
        captured.tree.file("sys/vpd", "0123456789")
        let recorder = RecordingHost(try captured.host)
        #expect(try recorder.readStart("/sys/vpd", count: 4) == Array("0123".utf8))
        #expect(recorder.tree().nodes["/sys/vpd"] == .file(Array("0123".utf8)))
        #expect(try recorder.read("/sys/vpd") == Array("0123456789".utf8))
        #expect(recorder.tree().nodes["/sys/vpd"] == .file(Array("0123456789".utf8)))
    }

    @Test("what another process sees stays apart from what we see")
    func otherRoots() throws {
        captured.tree.file("proc/9/root/sys/x", "theirs")
        captured.tree.file("sys/x", "ours")
        let recorder = RecordingHost(try captured.host)
        #expect(try recorder.text("/sys/x") == "ours")
        #expect(try recorder.text("/proc/9/root/sys/x") == "theirs")
    }

    @Test("settings with passwords in them are kept as far as they were looked for")
    func settings() throws {
        func kept(_ text: String, _ path: String, _ mode: UInt32 = 0o600) -> String? {
            SettingsFilter.kept(
                Array(text.utf8), at: path, permissions: NodePermissions(mode: mode, owner: 0, group: 0)
            ).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(
            kept(
                "[connection]\nid=Home\ninterface-name=eth0\n[wifi-security]\npsk=secret\n[sriov]\ntotal-vfs=4\n",
                "/etc/NetworkManager/system-connections/Home.nmconnection")
                == "[connection]\n\ninterface-name=eth0\n[wifi-security]\n\n[sriov]\ntotal-vfs=4\n")
        let domain = """
            <domain><name>secret</name><graphics type='spice' passwd='secret'/>
            <disk><source file='/home/alice/secret.img'/></disk>
            <hostdev mode='subsystem' type='pci' managed='yes'><source>
            <address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source></hostdev></domain>
            """
        let tags = try #require(kept(domain, "/etc/libvirt/qemu/guest.xml"))
        #expect(!tags.contains("secret") && !tags.contains("alice"))
        #expect(tags.contains("managed='yes'") && tags.contains("bus='0x01'"))
        #expect(kept("token=secret\n", "/etc/anything") == nil)
        #expect(kept("options vfio-pci ids=8086:10c9\n", "/etc/modprobe.d/vfio.conf", 0o644) != nil)
        #expect(kept("\u{1}", "/sys/devices/pci0000:00/0000:00:01.0/vpd") != nil)
    }
}

/// A host with answers of its own to the questions that are no files.
private struct ScriptedHost: HostAccess {
    private let host: CapturedDirectory

    init(_ host: CapturedDirectory) { self.host = host }

    var path: String { "/" }
    func netlinkDump(_ dump: NetlinkDump) throws(HostAccessError) -> [UInt8] { [1, 2, 3] }
    func modules(claiming alias: String) throws(HostAccessError) -> [String] {
        alias == "pci:none" ? [] : ["igb", "igb_uio"]
    }
    func content(ofBlockDevice name: String) throws(HostAccessError) -> DiskContent? {
        switch name {
        case "sda": return DiskContent(type: "ext4", label: "my disk")
        case "sdb": return nil
        default: throw HostAccessError(.read, "/dev/" + name, errno: .permissionDenied)
        }
    }
    func read(_ path: String, limit: Int) throws(HostAccessError) -> [UInt8] { try host.read(path, limit: limit) }
    func readLink(_ path: String) throws(HostAccessError) -> String { try host.readLink(path) }
    func entries(_ path: String) throws(HostAccessError) -> [String] { try host.entries(path) }
    func exists(_ path: String) -> Bool { host.exists(path) }
    func directory(_ path: String) throws(HostAccessError) -> any HostDirectory { try host.directory(path) }
    func write(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError) {
        try host.write(value, to: path, timeLimit: timeLimit)
    }
    func loadModule(_ name: String) throws(HostAccessError) { try host.loadModule(name) }
    func replaceFile(_ path: String, with content: [UInt8]) throws(HostAccessError) {
        try host.replaceFile(path, with: content)
    }
    func removeFile(_ path: String) throws(HostAccessError) { try host.removeFile(path) }
    func lock(_ path: String) throws(HostAccessError) -> any HostLock { try host.lock(path) }
    func pause(_ duration: Duration) {}
}

internal import Capture
internal import Changes
internal import Host
internal import HostAccess
internal import HostSimulator
internal import PCI
internal import Passthrough
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite("A capture is what the host answered")
struct HostCaptureTests {
    let captured = CapturedHost()

    @Test("it reads back into an equal snapshot, with the same interrupts")
    func equalSnapshot() throws {
        let (capture, directory) = try captured.capture()
        let snapshot = try HostSnapshot.read(from: directory)
        #expect(snapshot == capture.snapshot)
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
        #expect(capture.snapshot == (try HostSnapshot.read(from: captured.host)))
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
        #expect(try HostSnapshot.read(from: directory) == capture.snapshot)
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

    @Test("a process whose files may not be looked at stays one")
    func notPermitted() throws {
        bindToVFIO()
        captured.process(1, "init")
        captured.tree.removeDirectory("proc/1/fd")
        captured.tree.link("proc/1/fd", to: ".refused-EACCES")
        let (capture, directory) = try captured.capture()
        #expect(capture.snapshot.notes.contains { $0.contains("processes may not be read") })
        #expect(try HostSnapshot.read(from: directory) == capture.snapshot)
        #expect(try HostSnapshot.read(from: SimulatedHost(loading: directory)).notes == capture.snapshot.notes)
    }
}

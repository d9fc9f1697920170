import Changes
import Glibc
import Guests
import LinuxIO
import TestSupport
import Testing

/// Against the real monitor, where QEMU is installed. No device is given out here: QEMU refuses descriptors that are
/// none of a device, and a guest that does not run never lets go.
@Suite("A real QEMU", .enabled(if: qemu != nil, "qemu-system-x86_64 10 is not installed"))
struct QEMUTests {
    @Test("is seen as it is")
    func snapshot() throws {
        try withQEMU { monitor in
            let guest = try GuestSnapshot.read(from: &monitor)
            #expect(guest.version == monitor.version && guest.hasIOMMUFD)
            #expect(guest.devices == ["rp0": "pcie-root-port", "rp1": "pcie-root-port", "rng": "virtio-rng-pci"])
            #expect(guest.rootPorts == [.init(id: "rp0", isFree: false), .init(id: "rp1", isFree: true)])
            #expect(guest.objects["pc.ram"] == "memory-backend-ram")
        }
    }

    @Test("refuses a descriptor that is no device's, and is then as it was before")
    func undone() throws {
        try withQEMU { monitor in
            let before = try GuestSnapshot.read(from: &monitor)
            let plan = AttachRequest(address: igb, socket: monitor.path).plan(on: host(), in: before)
            let null = try OwnedDescriptor.open("/dev/null", flags: O_RDWR)
            let zero = try OwnedDescriptor.open("/dev/zero", flags: O_RDWR)
            let result = GuestRunner(timeLimit: .seconds(10), pause: { _ in })
                .run(plan, on: &monitor, iommufd: null, device: zero)
            #expect(result.outcome == .rolledBack)
            #expect(result.error?.contains("device_add at the monitor") == true, "\(result.error ?? "")")
            #expect(try GuestSnapshot.read(from: &monitor) == before)
            // Nothing is left under the names that getfd gave.
            for name in ["vfioctl-iommufd-fd", "vfio-0000-01-00.0-fd"] {
                let error = refusal { () throws(QMPError) in
                    try monitor.execute(QMPCommand("closefd", ["fdname": .string(name)]))
                }
                #expect(error?.code == .refused(class: "GenericError"))
            }
        }
    }

    @Test("a bus that is not there leaves no descriptor behind either")
    func noSuchBus() throws {
        try withQEMU { monitor in
            let before = try GuestSnapshot.read(from: &monitor)
            let plan = AttachRequest(address: igb, socket: monitor.path, bus: "nowhere").plan(on: host(), in: before)
            let null = try OwnedDescriptor.open("/dev/null", flags: O_RDWR)
            let result = GuestRunner(timeLimit: .seconds(10), pause: { _ in })
                .run(plan, on: &monitor, iommufd: null, device: null)
            #expect(result.error?.contains("Bus 'nowhere' not found") == true)
            #expect(try GuestSnapshot.read(from: &monitor) == before)
        }
    }

    @Test("a guest that does not run never lets go, and asking again waits for the same release")
    func neverAnswers() throws {
        try withQEMU { monitor in
            var plan = GuestPlan(address: igb, socket: monitor.path)
            plan.steps = [
                .init(
                    action: "unplug", operations: [.init(QMPCommand("device_del", ["id": "rng"]))],
                    goal: .noDevice("rng"))
            ]
            let runner = GuestRunner(timeLimit: .milliseconds(200), pause: { _ in })
            for _ in 1...2 {
                let result = runner.run(plan, on: &monitor)
                #expect(result.outcome == .incomplete)
                #expect(result.error?.contains("the guest has not answered within 0.2 s") == true)
            }
        }
    }

    @Test("serves one client at a time: a second one is told so")
    func secondClient() throws {
        try withQEMU { monitor in
            let path = monitor.path
            let error = refusal { () throws(QMPError) in
                _ = try QMPConnection.connect(to: path, timeLimit: .milliseconds(200))
            }
            #expect(error?.code == .timedOut)
        }
    }

    @Test("a monitor for people is told from one for programs")
    func humanMonitor() throws {
        try withQEMU(monitor: "chardev=m,mode=readline") { path in
            let error = refusal { () throws(QMPError) in _ = try QMPConnection.connect(to: path) }
            #expect(error?.code == .notQMP)
        }
    }

    @Test("that indents its answers is understood all the same")
    func pretty() throws {
        try withQEMU(monitor: "chardev=m,mode=control,pretty=on") { path in
            var monitor = try QMPConnection.connect(to: path)
            #expect(try GuestSnapshot.read(from: &monitor).devices.count == 3)
        }
    }
}

private let qemu = ["/usr/bin", "/usr/local/bin"].lazy.map { $0 + "/qemu-system-x86_64" }
    .first { unsafe access($0, X_OK) == 0 }

/// Starts a machine whose guest does not run, with a monitor in the given mode, and ends it after `body`.
private func withQEMU(monitor mode: String, _ body: (_ path: String) throws -> Void) throws {
    let directory = TemporaryDirectory()
    let path = directory.path + "/monitor"
    let program = try #require(qemu)
    let arguments = [
        program, "-machine", "q35", "-accel", "tcg", "-m", "64", "-display", "none", "-nodefaults", "-S",
        "-chardev", "socket,id=m,path=\(path),server=on,wait=off", "-mon", mode,
        "-device", "pcie-root-port,id=rp0,chassis=1,slot=1", "-device", "pcie-root-port,id=rp1,chassis=2,slot=2",
        "-device", "virtio-rng-pci,id=rng,bus=rp0",
    ]
    var pid: pid_t = 0
    let copies = unsafe arguments.map { unsafe strdup($0) } + [nil]
    defer { unsafe copies.forEach { unsafe free($0) } }
    try #require(unsafe posix_spawn(&pid, program, nil, nil, copies, environ) == 0)
    defer {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }
    try #require(eventually { isListening(at: path) })
    try body(path)
}

private func isListening(at path: String) -> Bool {
    do {
        _ = try UnixSocket.connect(to: path, within: .seconds(1))
        return true
    } catch {
        return false
    }
}

private func withQEMU(_ body: (inout QMPConnection) throws -> Void) throws {
    try withQEMU(monitor: "chardev=m,mode=control") { path in
        var monitor = try QMPConnection.connect(to: path)
        try body(&monitor)
    }
}

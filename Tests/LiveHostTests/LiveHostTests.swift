internal import Glibc
internal import HostAccess
internal import LiveHost
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite("The live host")
struct LiveHostTests {
    let scratch = TemporaryDirectory()

    @Test("reads files that do not say their length")
    func procfs() throws {
        let host = LiveHost()
        #expect(try host.text("/proc/self/comm").isEmpty == false)
        #expect(try host.read("/proc/self/status").isEmpty == false)
        #expect(try host.directory("/proc/self").text("comm") == (try host.text("/proc/self/comm")))
        #expect(try host.entries("/proc/self").contains("mountinfo"))
        #expect(host.exists("/proc/self/mountinfo"))
    }

    @Test("a directory stays what it was when another takes its name")
    func heldDirectory() throws {
        scratch.file("device/driver_override", "first")
        let host = LiveHost()
        let device = try host.directory(scratch.path + "/device")
        #expect(unsafe rename(scratch.path + "/device", scratch.path + "/gone") == 0)
        scratch.file("device/driver_override", "other")
        #expect(try device.text("driver_override") == "first")
        try device.write("final", to: "driver_override", timeLimit: .seconds(1))
        #expect(try host.text(scratch.path + "/device/driver_override") == "other")
        #expect(try host.text(scratch.path + "/gone/driver_override") == "final")
    }

    @Test("a refused write says what was to be written where, and what the kernel answered")
    func refusedWrite() throws {
        let error = #expect(throws: HostAccessError.self) {
            try LiveHost().write("x", to: "/sys/kernel/no_such_file", timeLimit: .seconds(5))
        }
        #expect(error?.value == "x")
        #expect(error?.errno == .noSuchFileOrDirectory)
        #expect(error?.code == .refused)
    }

    @Test("a file of ours is replaced whole, readable by all, and leaves nothing beside it")
    func replaceFile() throws {
        let host = LiveHost()
        let path = scratch.path + "/run/vfioctl/journal"
        try host.replaceFile(path, with: Array("one".utf8))
        try host.replaceFile(path, with: Array("two".utf8))
        #expect(try host.text(path) == "two")
        #expect(try host.entries(scratch.path + "/run/vfioctl") == ["journal"])
        var status = stat()
        #expect(unsafe stat(path, &status) == 0 && status.st_mode & 0o777 == 0o644)
        #expect(unsafe stat(scratch.path + "/run", &status) == 0 && status.st_mode & 0o777 == 0o755)
        try host.removeFile(path)
        try host.removeFile(path)
        #expect(!host.exists(path))
    }

    @Test("a link in the place of a file of ours is replaced, not followed")
    func replaceLink() throws {
        scratch.file("victim", "untouched")
        scratch.link("journal", to: "victim")
        let host = LiveHost()
        try host.replaceFile(scratch.path + "/journal", with: Array("ours".utf8))
        #expect(try host.text(scratch.path + "/victim") == "untouched")
        #expect(try host.text(scratch.path + "/journal") == "ours")
    }

    @Test("the lock has one holder, whose name the next one learns; then it is free again")
    func lock() throws {
        let host = LiveHost()
        let path = scratch.path + "/lock"
        do {
            let first = try host.lock(path)
            let error = #expect(throws: HostAccessError.self) { try host.lock(path) }
            guard case .locked(let holder) = error?.code else {
                Issue.record("expected a holder, got \(String(describing: error))")
                return
            }
            #expect(holder.hasPrefix("process \(getpid()) ("))
            withExtendedLifetime(first) {}
        }
        // Another test's child may share the lock for the moment between its fork and its first steps.
        #expect(eventually { (try? host.lock(path)) != nil })
    }

    @Test("a link in the place of the lock is refused")
    func lockLink() throws {
        scratch.file("victim", "untouched")
        scratch.link("lock", to: "victim")
        #expect(throws: HostAccessError.self) { try LiveHost().lock(scratch.path + "/lock") }
        #expect(try LiveHost().text(scratch.path + "/victim") == "untouched")
    }

    @Test("only a disk is asked what is written on it")
    func noDisk() {
        for (name, errno) in [("null", Errno(rawValue: ENOTBLK)), ("no-such-disk", .noSuchFileOrDirectory)] {
            let error = #expect(throws: HostAccessError.self) { try LiveHost().content(ofBlockDevice: name) }
            #expect(error?.path == "/dev/" + name)
            #expect(error?.errno == errno)
        }
    }

    @Test("a module that does not exist is an error with its name")
    func noSuchModule() throws {
        let error = #expect(throws: HostAccessError.self) { try LiveHost().loadModule("no_such_module_at_all") }
        #expect(error?.request == .loadModule)
        #expect(error?.path == "no_such_module_at_all")
    }

    @Test("a pause lasts at least as long as asked")
    func pause() throws {
        let host = LiveHost()
        let clock = ContinuousClock()
        #expect(clock.measure { host.pause(.milliseconds(20)) } >= .milliseconds(20))
        #expect(clock.measure { host.pause(.milliseconds(-20)) } < .milliseconds(20))
    }
}

import Glibc
import Guests
import HostAccess
import LinuxIO
import PCI
import SystemPackage
import VFIO
import Testing

/// Each test that becomes another program does so in a process of its own.
@Suite("Handing descriptors to a command")
struct ProgramHandOffTests {
    @Test("the command gets the descriptors, the placeholders and the environment, and its exit status is the answer")
    func handedOver() async {
        let result = await #expect(
            processExitsWith: .exitCode(7), observing: [\.standardOutputContent, \.standardErrorContent]
        ) {
            try become([
                "/bin/sh", "-c", "readlink /proc/self/fd/$1; echo $VFIO_DEVICE_FDS $VFIO_IOMMUFD; exit 7", "sh", "{fd}",
            ])
        }
        #expect(lines(result?.standardOutputContent) == ["/dev/zero", "100 101"])
    }

    @Test(
        "with another user it also gets the memory to lock",
        .enabled(if: mayRaiseLimits, "raising a hard limit needs CAP_SYS_RESOURCE"))
    func otherUser() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            try become(
                ["/bin/sh", "-c", "id -u; grep 'Max locked' /proc/self/limits | tr -s ' '"], as: "nobody", memory: "4G")
        }
        let nobody = try #require(try UserAccount.find("nobody"))
        #expect(
            lines(result?.standardOutputContent) == ["\(nobody.uid)", "Max locked memory 5368709120 5368709120 bytes "])
    }

    @Test(
        "without the right to raise limits nothing is run, and the reason is said",
        .enabled(if: !mayRaiseLimits, "this process may raise any limit"))
    func limitRefused() async {
        await #expect(processExitsWith: .success) {
            let error = #expect(throws: ProgramHandOffError.self) {
                try become(["/bin/sh", "-c", "exit 1"], memory: "1048576T")
            }
            #expect(error?.code == .notPermitted)
            #expect(error?.description.contains("RLIMIT_MEMLOCK") == true)
        }
    }

    @Test("a failing exec leaves the descriptors close-on-exec again, and says what was tried")
    func failingExec() async {
        await #expect(processExitsWith: .success) {
            // A program that is there and executable, and whose interpreter is not.
            try withProgram("hand-off", "#!/nonexistent/interpreter\n") { script in
                let error = #expect(throws: ProgramHandOffError.self) { try become([script]) }
                #expect(error?.code == .noSuchCommand)
                #expect(error?.description == "cannot run \(script): no such file")
                #expect(fcntl(100, F_GETFD) & FD_CLOEXEC != 0)
            }
        }
    }

    @Test("a command that is not there is refused before anything is opened")
    func noSuchCommand() {
        for (command, reason) in [
            ("no-such-command-anywhere", "no directory of PATH has it"), ("/nonexistent/qemu", "no such file"),
            ("/etc/passwd/x", "no such file"), ("", "there is no command to run"),
        ] {
            let error = #expect(throws: ProgramHandOffError.self) { try ProgramHandOff(request(), to: [command]) }
            #expect(error?.code == .noSuchCommand)
            #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        }
        for command in ["/etc/passwd", "/usr", "/dev/null"] {
            let error = #expect(throws: ProgramHandOffError.self) { try ProgramHandOff(request(), to: [command]) }
            #expect(error?.code == .notExecutable)
        }
    }

    @Test("a user that is not there is refused before anything is opened")
    func noSuchUser() {
        for user in ["no-such-user-anywhere", "4294967295", "+0", "-1", ""] {
            let error = #expect(throws: ProgramHandOffError.self) {
                try ProgramHandOff(request(), to: ["sh"], as: user)
            }
            #expect(error?.code == .noSuchUser)
        }
    }

    @Test("a user may be given by number")
    func userByNumber() throws {
        #expect(try ProgramHandOff(request(), to: ["sh"], as: "0").user?.name == "root")
    }

    @Test("QEMU is told from other commands where it cannot take what it is given")
    func warnings() throws {
        try withProgram("qemu-system-x86_64") { qemu in
            #expect(try ProgramHandOff(request(), to: [qemu]).warnings == [])
            let group = try ProgramHandOff(request(backend: .group), to: [qemu]).warnings
            #expect(group.count == 1 && group[0].contains("--backend iommufd"))
            let attached = try ProgramHandOff(request(attached: true), to: [qemu]).warnings
            #expect(attached.count == 1 && attached[0].contains("--attached"))
        }
        #expect(try ProgramHandOff(request(backend: .group), to: ["sh"]).warnings == [])
        let user = try ProgramHandOff(request(), to: ["sh"], as: "0").warnings
        #expect(user.count == 1 && user[0].contains("--memory"))
        #expect(try ProgramHandOff(request(), to: ["sh"], as: "0", guestMemory: MemorySize("1G")).warnings == [])
    }
}

private func request(backend: VFIOBackend = .iommufd, attached: Bool = false) -> HandOverRequest {
    HandOverRequest(
        addresses: [PCIAddress("0000:01:00.0")].compactMap { $0 }, backend: backend, attached: attached)
}

/// Hands /dev/zero as the device and /dev/null as the iommufd, under numbers that nothing else has.
private func become(_ command: [String], as user: String? = nil, memory: String? = nil) throws {
    let handOff = try ProgramHandOff(
        request(), to: command, as: user, guestMemory: memory.flatMap { MemorySize($0) })
    for (path, number) in [("/dev/zero", CInt(100)), ("/dev/null", 101)] {
        let opened = try OwnedDescriptor.open(path, flags: O_RDWR)
        try #require(dup2(opened.rawValue, number) == number)
    }
    let open = HandedOver(addresses: request().addresses, devices: [100], context: .iommufd(101, ioas: nil))
    // A host without any process.
    try handOff.run(with: open, on: CapturedDirectory("/dev"))
}

private func lines(_ output: [UInt8]?) -> [String] {
    String(decoding: output ?? [], as: UTF8.self).split(separator: "\n").map(String.init)
}

/// Whether this process has CAP_SYS_RESOURCE. Root in a container often has not.
private let mayRaiseLimits: Bool = {
    let status = try? FileDescriptor.open(FilePath("/proc/self/status"), .readOnly).closeAfterReading()
    let effective = status?.split(separator: "\n").first { $0.hasPrefix("CapEff:") }?.dropFirst("CapEff:\t".count)
    return effective.flatMap { UInt64($0, radix: 16) }.map { $0 >> 24 & 1 == 1 } ?? false
}()

extension FileDescriptor {
    fileprivate func closeAfterReading() throws -> String {
        try closeAfter {
            try unsafe String(unsafeUninitializedCapacity: 8192) {
                try unsafe read(into: UnsafeMutableRawBufferPointer($0))
            }
        }
    }
}

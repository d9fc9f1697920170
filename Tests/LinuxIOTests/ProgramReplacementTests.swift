import Glibc
import LinuxIO
import Testing

/// Each test that becomes another program does so in a process of its own.
@Suite("Becoming another program")
struct ProgramReplacementTests {
    @Test(
        "as another user: its ids and groups, no capability, no way to gain one, no descriptor but those given",
        .enabled(if: geteuid() == 0, "only root can become another user"))
    func otherUser() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            // One descriptor to keep, and an inherited one that the program must not see.
            try #require(dup2(0, 100) == 100 && dup2(1, 90) == 90)
            var program = shell(
                """
                grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs):' /proc/self/status | tr -s '\\t ' '  '
                ls /proc/$$/fd
                :
                """)
            program.keptDescriptors = [100]
            program.closesOthers = true
            program.user = try UserAccount.find("nobody")
            try program.run()
        }
        let nobody = try #require(try UserAccount.find("nobody"))
        let (uid, gid) = (nobody.uid, nobody.gid)
        #expect(
            lines(result?.standardOutputContent) == [
                "Uid: \(uid) \(uid) \(uid) \(uid)", "Gid: \(gid) \(gid) \(gid) \(gid)", "Groups: \(gid) ",
                "CapInh: 0000000000000000", "CapPrm: 0000000000000000", "CapEff: 0000000000000000",
                "CapBnd: 0000000000000000", "CapAmb: 0000000000000000", "NoNewPrivs: 1", "0", "1", "100", "2",
            ])
    }

    @Test("even root as that user has no capability", .enabled(if: geteuid() == 0, "only root can drop capabilities"))
    func rootWithoutCapabilities() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            var program = shell("grep -E '^Cap(Prm|Eff):' /proc/self/status")
            program.user = try UserAccount.find("0")
            try program.run()
        }
        #expect(lines(result?.standardOutputContent) == ["CapPrm:\t0000000000000000", "CapEff:\t0000000000000000"])
    }

    @Test("without another user, what the caller left open stays open")
    func inherited() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            try #require(dup2(0, 90) == 90)
            try shell("cd /proc/$$/fd && ls -d 90").run()
        }
        #expect(lines(result?.standardOutputContent) == ["90"])
    }

    @Test("what the caller closed of its standard streams is not the number of the next file to be opened")
    func standardStreams() async {
        await #expect(processExitsWith: .success) {
            close(STDIN_FILENO)
            close(STDOUT_FILENO)
            try reserveStandardDescriptors()
            let device = try OwnedDescriptor.open("/dev/zero", flags: O_RDWR)
            #expect(device.rawValue > STDERR_FILENO)
            #expect(fcntl(STDIN_FILENO, F_GETFD) == 0 && fcntl(STDOUT_FILENO, F_GETFD) == 0)
        }
    }

    @Test("the limit on locked memory is raised, and never lowered")
    func lockedMemory() async {
        let lower = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            try lock(atLeast: 512 << 10)
        }
        #expect(lines(lower?.standardOutputContent) == ["Max locked memory 1048576 4194304 bytes "])
        let higher = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            try lock(atLeast: 2048 << 10)
        }
        #expect(lines(higher?.standardOutputContent) == ["Max locked memory 2097152 4194304 bytes "])
    }
}

/// Shows the limits of a program that is to lock so many bytes, from limits of 1 MiB (soft) and 4 MiB (hard).
private func lock(atLeast bytes: UInt64) throws {
    var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 4 << 20)
    try #require(unsafe setrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit) == 0)
    var program = shell("grep 'Max locked' /proc/self/limits | tr -s ' '")
    program.lockedMemory = bytes
    try program.run()
}

private func shell(_ script: String) -> ProgramReplacement {
    ProgramReplacement(
        program: "sh", arguments: ["sh", "-c", script], environment: ProgramReplacement.inheritedEnvironment)
}

private func lines(_ output: [UInt8]?) -> [String] {
    String(decoding: output ?? [], as: UTF8.self).split(separator: "\n").map(String.init)
}

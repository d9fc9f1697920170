internal import CLinux
internal import Glibc
internal import SystemPackage

/// What this process is about to become: another program, perhaps another user, with some descriptors kept open.
public struct ProgramReplacement: Sendable {
    /// The program: a path, or a name to be found along PATH.
    public var program: String
    /// Its arguments, the name it is called by first.
    public var arguments: [String]
    /// Its environment, `NAME=value` each.
    public var environment: [String]
    /// Descriptors that stay open. They need not be free of close-on-exec before.
    public var keptDescriptors: [CInt]
    /// Whether every other descriptor but standard input, output and error goes, inherited ones included.
    public var closesOthers: Bool
    /// The user it runs as, with that user's groups, no capability and no_new_privs; nil stays who we are.
    public var user: UserAccount?
    /// RLIMIT_MEMLOCK is raised (never lowered) to so many bytes.
    public var lockedMemory: UInt64?

    /// Describes a replacement that changes nothing but the program.
    public init(program: String, arguments: [String], environment: [String]) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        keptDescriptors = []
        closesOthers = false
    }

    /// The environment of this process, `NAME=value` each.
    public static var inheritedEnvironment: [String] {
        guard var entry = unsafe clinux_environment() else { return [] }
        var entries: [String] = []
        while let text = unsafe entry.pointee {
            entries.append(unsafe String(cString: text))
            unsafe entry += 1
        }
        return entries
    }

    /// Looks for a program as execvp(3) does: a name with a slash is a path, any other is looked for along PATH.
    ///
    /// - Throws: ENOENT when it is nowhere; else what is wrong with the first file of that name (EACCES, EISDIR).
    public static func locate(_ program: String) throws(SystemCallError) {
        let candidates: [String]
        if program.utf8.contains(UInt8(ascii: "/")) {
            candidates = [program]
        } else {
            // What execvp(3) takes where PATH is not set.
            let path = inheritedEnvironment.first { $0.hasPrefix("PATH=") }?.dropFirst("PATH=".count) ?? "/bin:/usr/bin"
            candidates = path.split(separator: ":", omittingEmptySubsequences: false)
                .map { $0.isEmpty ? "./\(program)" : "\($0)/\(program)" }
        }
        var refusal = SystemCallError("execvp", on: program, errno: .noSuchFileOrDirectory)
        guard !program.isEmpty else { throw refusal }
        for candidate in candidates {
            do throws(SystemCallError) {
                _ = try checked(unsafe clinux_is_executable(candidate), "execvp", on: candidate)
                return
            } catch {
                let absent: [Errno] = [.noSuchFileOrDirectory, .notDirectory]
                if absent.contains(refusal.errno), !absent.contains(error.errno) { refusal = error }
            }
        }
        throw refusal
    }

    /// Becomes the program: setrlimit(2), descriptors, the user, execvpe(3), in this order.
    ///
    /// It returns only by failing, and a failure after the user was changed leaves a process that is fit for nothing
    /// but saying so. Descriptors are as they were: those kept have close-on-exec set again.
    public func run() throws(SystemCallError) -> Never {
        if let lockedMemory {
            _ = try checked(
                clinux_raise_locked_memory(lockedMemory), "setrlimit(RLIMIT_MEMLOCK)", on: "\(lockedMemory) bytes")
        }
        if closesOthers {
            _ = try checked(clinux_close_on_exec_from(3), "close_range", on: "every descriptor from 3 up")
        }
        for number in keptDescriptors {
            _ = try checked(clinux_set_close_on_exec(number, 0), "fcntl(F_SETFD)", on: "descriptor \(number)")
        }
        do throws(SystemCallError) {
            if let user { try become(user) }
            let result = unsafe withCStrings(arguments) { arguments in
                unsafe withCStrings(environment) { unsafe clinux_execute(program, arguments, $0) }
            }
            _ = try checked(result, "execvp", on: program)
        } catch {
            for number in keptDescriptors { _ = clinux_set_close_on_exec(number, 1) }
            throw error
        }
        // execvpe(3) has no success to return.
        throw SystemCallError("execvp", on: program, errno: .invalidArgument)
    }

    private func become(_ user: UserAccount) throws(SystemCallError) {
        var step = CLINUX_BECOME_BOUNDING
        let result = unsafe clinux_become(user.name, user.uid, user.gid, &step)
        guard result < 0 else { return }
        let call =
            switch step {
            case CLINUX_BECOME_BOUNDING: "prctl(PR_CAPBSET_DROP)"
            case CLINUX_BECOME_GROUPS: "initgroups"
            case CLINUX_BECOME_GROUP: "setresgid"
            case CLINUX_BECOME_USER: "setresuid"
            case CLINUX_BECOME_CAPABILITIES: "capset"
            default: "prctl(PR_SET_NO_NEW_PRIVS)"
            }
        _ = try checked(result, call, on: "user \(user.name)")
    }
}

/// Lends `strings` as the null-terminated array of C strings that execve(2) takes.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    let copies = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe copies.forEach { unsafe free($0) } }
    return unsafe copies.withUnsafeBufferPointer { buffer in
        // An array of at least one element has a base address.
        unsafe body(buffer.baseAddress.unsafelyUnwrapped)
    }
}

internal import CLinux
internal import Glibc
internal import TestSupport
internal import Testing

@Suite("A write made by a child")
struct ChildWriteTests {
    let scratch = TemporaryDirectory()

    func write(_ text: String, to name: String, within milliseconds: CInt) -> (result: Int, child: pid_t) {
        let directory = unsafe open(scratch.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(directory) }
        var child: pid_t = 0
        let bytes = Array(text.utf8)
        let result = unsafe clinux_write_in_child(directory, name, bytes, bytes.count, milliseconds, &child)
        return (result, child)
    }

    @Test("lands, and the kernel's refusals come back")
    func answers() throws {
        scratch.file("attribute", "")
        #expect(write("0000:01:00.0", to: "attribute", within: 5000).result == 0)
        #expect(scratch.content("attribute") == "0000:01:00.0")
        #expect(write("x", to: "absent", within: 5000).result == -Int(ENOENT))
        #expect(write("x", to: ".", within: 5000).result == -Int(EISDIR))
    }

    @Test("that never returns is left behind in its time, holding none of the caller's locks and pipes")
    func leavesNothingHeld() throws {
        // Opening a FIFO that nobody reads blocks as long as one likes, like the unbind of a held device.
        #expect(unsafe mkfifo(scratch.path + "/unbind", 0o600) == 0)
        scratch.file("lock", "")
        let keeper = unsafe open(scratch.path + "/unbind", O_RDWR | O_CLOEXEC)
        defer { close(keeper) }
        let lock = unsafe open(scratch.path + "/lock", O_RDWR | O_CLOEXEC)
        #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)

        // More than a pipe takes at once, so the write itself blocks.
        let attempt = write(String(repeating: "x", count: 1 << 20), to: "unbind", within: 100)
        #expect(attempt.result == -Int(ETIMEDOUT))
        defer {
            kill(attempt.child, SIGKILL)
            waitpid(attempt.child, nil, 0)
        }
        #expect(attempt.child > 0 && kill(attempt.child, 0) == 0, "the child still waits in its write")

        close(lock)
        let again = unsafe open(scratch.path + "/lock", O_RDWR | O_CLOEXEC)
        // Another test's child may share the lock for the moment between its fork and its first steps.
        let free = eventually { flock(again, LOCK_EX | LOCK_NB) == 0 }
        #expect(free, "the lock goes with its holder, not with the child")
        close(again)
    }
}

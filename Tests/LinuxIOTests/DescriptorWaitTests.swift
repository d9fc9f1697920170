internal import Glibc
internal import LinuxIO
internal import Testing

@Suite("Waiting for one of several descriptors")
struct DescriptorWaitTests {
    /// A pipe: what is read from, what is written to.
    private static func pipe() throws -> (reading: CInt, writing: CInt) {
        var ends: [CInt] = [0, 0]
        try #require(unsafe Glibc.pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    @Test("tells what can be read, what can be written, and nothing that was not asked for")
    func ready() throws {
        let (reading, writing) = try Self.pipe()
        defer {
            close(reading)
            close(writing)
        }
        #expect(try waitForAny([(reading, .readable), (writing, .writable)]) == [[], .writable])
        #expect(unsafe write(writing, "x", 1) == 1)
        #expect(try waitForAny([(reading, .readable), (writing, [])]) == [.readable, []])
    }

    @Test("tells that the reader has gone, without being asked, and that there never was one")
    func gone() throws {
        let (reading, writing) = try Self.pipe()
        defer { close(writing) }
        close(reading)
        #expect(try waitForAny([(writing, [])]) == [.gone])
        #expect(try waitForAny([(CInt(1_000_000), .writable)]) == [.gone])
    }

    @Test(
        "SIGINT and SIGTERM end nothing once they are waited for; a closed pipe neither", arguments: [SIGINT, SIGTERM])
    func signals(signal: CInt) async {
        await #expect(processExitsWith: .exitCode(7)) { [signal] in
            let ending = try EndingSignals()
            raise(signal)
            raise(SIGPIPE)
            let events = try waitForAny([(ending.descriptor.rawValue, .readable)])
            exit(events == [.readable] ? 7 : 1)
        }
    }
}

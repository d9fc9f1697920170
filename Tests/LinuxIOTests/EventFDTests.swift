internal import LinuxIO
internal import SystemPackage
internal import Testing

@Suite("An eventfd")
struct EventFDTests {
    @Test("counts what was signalled, and starts again from 0 when it is taken")
    func counting() throws {
        let event = try EventFD()
        #expect(try event.take() == 0)
        try event.signal()
        try event.signal(41)
        #expect(try event.take() == 42)
        #expect(try event.take() == 0)
    }

    @Test("gives up waiting when the time is over, and not before")
    func timeLimit() throws {
        let event = try EventFD()
        let clock = ContinuousClock()
        let start = clock.now
        #expect(try event.wait(atMost: .milliseconds(30)) == nil)
        #expect(start.duration(to: clock.now) >= .milliseconds(30))
        #expect(try event.wait(atMost: .zero) == nil)
        #expect(try event.wait(atMost: .seconds(-1)) == nil)
    }

    @Test("wakes the thread that waits for it, without a limit too")
    func waking() async throws {
        let event = try EventFD()
        let waiter = Task.detached { try event.wait(atMost: nil) }
        try event.signal(3)
        #expect(try await waiter.value == 3)
    }

    @Test("refuses a count that would overflow, rather than block")
    func overflow() throws {
        let event = try EventFD()
        try event.signal(.max - 1)
        let error = #expect(throws: SystemCallError.self) { try event.signal() }
        #expect(error?.call == "write")
        #expect(error?.errno == .resourceTemporarilyUnavailable)
    }
}

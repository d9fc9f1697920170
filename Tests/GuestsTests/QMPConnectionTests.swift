import Guests
import SystemPackage
import Testing

@Suite("The monitor's client")
struct QMPConnectionTests {
    @Test("greets, leaves the negotiation and learns the version")
    func greeting() throws {
        let monitor = FakeMonitor()
        let connection = try monitor.connect()
        #expect(connection.version == "10.0.2")
    }

    @Test("events between a command and its answer are kept, in order, and found later")
    func interleaved() throws {
        let monitor = FakeMonitor(
            .init(), .init(chatter: #"{"event":"ONE","data":{"n":1},"timestamp":{}}"# + "\r\n{\"event\":\"TWO\"}\r\n"))
        var connection = try monitor.connect()
        try connection.execute(QMPCommand("qom-list", ["path": "/objects"]))
        #expect(connection.events.map(\.name) == ["ONE", "TWO", "ONE", "TWO"])
        let two = try connection.event(within: .seconds(1), for: "waiting") { $0.name == "TWO" }
        #expect(two == QMPEvent(name: "TWO"))
        #expect(connection.events.map(\.name) == ["ONE", "ONE", "TWO"])
    }

    @Test("answers may come a byte at a time")
    func fragmented() throws {
        let monitor = FakeMonitor(.init(), .init(fragment: 1))
        var connection = try monitor.connect()
        let objects = try connection.execute(QMPCommand("qom-list", ["path": "/objects"]))
        #expect(objects.array?.count == 2)
    }

    @Test("an answer of some hundred KiB is taken whole")
    func large() throws {
        let text = String(repeating: "x", count: 900_000)
        let monitor = FakeMonitor(.init(), .init(answers: ["query": #"{"return":"\#(text)","id":ID}"#]))
        var connection = try monitor.connect()
        #expect(try connection.execute(QMPCommand("query")).string == text)
    }

    @Test("a refusal says the command, the monitor and the reason")
    func refused() throws {
        let monitor = FakeMonitor()
        var connection = try monitor.connect()
        let error = refusal { () throws(QMPError) in try connection.execute(QMPCommand("no-such")) }
        #expect(error?.code == .refused(class: "CommandNotFound"))
        #expect(
            error?.description == "no-such at the monitor /run/m was refused: The command no-such has not been found")
    }

    @Test("a command without an answer ends with its time limit, and its late answer is not taken for the next one's")
    func lateAnswer() throws {
        let monitor = FakeMonitor(
            .init(),
            .init(
                ignores: ["slow"],
                // The second command brings the first one's answer along. Ids count from qmp_capabilities.
                answers: ["quick": #"{"return":"slow","id":2}{"return":"quick","id":ID}"#]))
        var connection = try monitor.connect(timeLimit: .milliseconds(100))
        let error = refusal { () throws(QMPError) in try connection.execute(QMPCommand("slow")) }
        #expect(error?.code == .timedOut)
        #expect(error?.description == "slow at the monitor /run/m had no answer within 0.1 s")
        #expect(try connection.execute(QMPCommand("quick"), within: .seconds(10)) == "quick")
    }

    @Test("a monitor that never stops talking does not hold the client beyond its time")
    func endlessEvents() throws {
        let events = String(repeating: "{\"event\":\"E\"}", count: 5000)
        let monitor = FakeMonitor(.init(), .init(answers: ["query": events]))
        var connection = try monitor.connect(timeLimit: .milliseconds(200))
        let error = refusal { () throws(QMPError) in try connection.execute(QMPCommand("query")) }
        #expect(error?.code == .timedOut)
        #expect(connection.events.count == 1024)
    }

    @Test("no greeting in time is not waited for any longer: another client has the monitor")
    func noGreeting() {
        let monitor = FakeMonitor(.init(), .init(greeting: ""))
        let error = refusal { () throws(QMPError) in _ = try monitor.connect(timeLimit: .milliseconds(100)) }
        #expect(error?.code == .timedOut)
        #expect(error?.description.contains("another one connected") == true)
    }

    @Test(
        "what is no monitor is told at once",
        arguments: [
            "QEMU 10.0.2 monitor - type 'help' for more information\r\n(qemu) ", "HTTP/1.1 400 Bad Request\r\n",
            "{\"return\":{}}\r\n", "{\"event\":\"X\"}\r\n", "{\"a\":nonsense}\r\n", "\u{1b}]0;evil\u{7}",
        ])
    func notQMP(greeting: String) {
        let monitor = FakeMonitor(.init(), .init(greeting: greeting))
        let error = refusal { () throws(QMPError) in _ = try monitor.connect() }
        #expect(error?.code == .notQMP)
        #expect(error?.description.utf8.contains(0x1b) == false)
    }

    @Test(
        "nonsense in the middle of a conversation ends it",
        arguments: [
            "(qemu) ", "{\"foo\":1}", "{\"return\":1,\"id\":77}", "{\"return\":1,\"id\":\"x\"}", "{\"return\":1}",
            "{\"QMP\":{\"version\":{\"qemu\":{\"major\":1,\"minor\":2,\"micro\":3}}}}",
        ])
    func nonsense(answer: String) throws {
        let monitor = FakeMonitor(.init(), .init(answers: ["query": answer]))
        var connection = try monitor.connect()
        let error = refusal { () throws(QMPError) in try connection.execute(QMPCommand("query")) }
        #expect(error?.code == .notQMP)
    }

    @Test("an error that names no command is the current one's")
    func errorWithoutID() throws {
        let monitor = FakeMonitor(
            .init(), .init(answers: ["query": #"{"error":{"class":"GenericError","desc":"JSON parse error"}}"#]))
        var connection = try monitor.connect()
        let error = refusal { () throws(QMPError) in try connection.execute(QMPCommand("query")) }
        #expect(error?.code == .refused(class: "GenericError"))
    }

    @Test("a connection that ends is told from an answer")
    func closed() throws {
        let monitor = FakeMonitor(.init(), .init(ignores: ["DIE:query"]))
        var connection = try monitor.connect()
        let error = refusal { () throws(QMPError) in try connection.execute(QMPCommand("query")) }
        #expect(error?.code == .closed)
    }

    @Test("a socket that is not there, or no socket, is said to be so")
    func unreachable() throws {
        let missing = "/tmp/no-such-directory/" + String(repeating: "x", count: 200) + "/monitor"
        let error = refusal { () throws(QMPError) in _ = try QMPConnection.connect(to: missing) }
        #expect(error?.code == .unreachable(.noSuchFileOrDirectory))
        #expect(error?.description.contains("-qmp unix:") == true)
        try withProgram("monitor") { path in
            let error = refusal { () throws(QMPError) in _ = try QMPConnection.connect(to: path) }
            #expect(error?.code == .unreachable(.connectionRefused))
        }
    }
}

/// The error that `body` throws; nil, and a failure of the test, when it throws none.
func refusal(_ body: () throws(QMPError) -> Void, at location: SourceLocation = #_sourceLocation) -> QMPError? {
    do throws(QMPError) {
        try body()
    } catch {
        return error
    }
    Issue.record("nothing was thrown", sourceLocation: location)
    return nil
}

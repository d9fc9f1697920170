public import LinuxIO
internal import SystemPackage

/// A client of one QEMU monitor (QMP): one command at a time, each with a time limit; events are kept until asked for.
///
/// A command that has had no answer in its time leaves the connection usable: an answer that comes late is told from
/// the next command's by its id, and dropped.
public struct QMPConnection: ~Copyable {
    /// The monitor's socket, as it was given.
    public let path: String
    /// QEMU's version, from the greeting: "10.0.2".
    public let version: String
    /// The longest wait for the answer to a command.
    public let timeLimit: Duration
    /// Events that came and that nobody has asked for yet, oldest first. At most 1,024 are kept.
    public private(set) var events: [QMPEvent] = []

    private let socket: UnixSocket
    private var framing: JSONFraming
    private var lastID: Int64 = 0

    private static let keptEvents = 1024

    private init(_ socket: consuming UnixSocket, _ framing: JSONFraming, path: String, version: String, limit: Duration)
    {
        self.path = path
        self.version = version
        timeLimit = limit
        self.socket = socket
        self.framing = framing
    }

    /// Connects to the monitor at `path`, waits for its greeting and leaves the negotiation (`qmp_capabilities`).
    public static func connect(
        to path: String, timeLimit: Duration = .seconds(10)
    ) throws(QMPError) -> QMPConnection {
        let socket: UnixSocket
        do throws(SystemCallError) {
            socket = try UnixSocket.connect(to: path, within: timeLimit)
        } catch {
            throw QMPError(unreachable: path, error)
        }
        return try open(over: socket, path: path, timeLimit: timeLimit)
    }

    /// The same over a socket that is connected already. `path` says in messages where it leads.
    public static func open(
        over socket: consuming UnixSocket, path: String, timeLimit: Duration = .seconds(10)
    ) throws(QMPError) -> QMPConnection {
        var framing = JSONFraming()
        let version = try greeting(from: socket, &framing, path: path, timeLimit: timeLimit)
        var connection = QMPConnection(socket, framing, path: path, version: version, limit: timeLimit)
        try connection.execute(QMPCommand("qmp_capabilities"))
        return connection
    }

    /// Waits for the first message, and answers the version in it.
    private static func greeting(
        from socket: borrowing UnixSocket, _ framing: inout JSONFraming, path: String, timeLimit: Duration
    ) throws(QMPError) -> String {
        let deadline = ContinuousClock.now.advanced(by: timeLimit)
        switch try nextMessage(from: socket, &framing, path: path, command: nil, until: deadline) {
        case .greeting(let version): return version
        case .some: throw QMPError(.notQMP, socket: path, detail: "it does not begin with QMP's greeting")
        case nil:
            throw QMPError(
                .timedOut, socket: path,
                detail: "within \(timeLimit.brief): a monitor serves one client at a time; is another one connected?")
        }
    }

    /// The process that listens at the socket; nil when that cannot be told from here.
    public borrowing func peerProcess() -> Int32? {
        do throws(SystemCallError) { return try socket.peerProcess() } catch { return nil }
    }

    // MARK: commands

    /// Sends a command and waits for what it returns, `time` long when it is given: some commands take theirs.
    @discardableResult
    public mutating func execute(_ command: QMPCommand, within time: Duration? = nil) throws(QMPError) -> JSONValue {
        try execute(command, descriptors: [], within: time ?? timeLimit)
    }

    /// Sends a command with a descriptor in the same message (SCM_RIGHTS), as `getfd` wants it. QEMU gets a descriptor
    /// of its own; the caller keeps this one.
    @discardableResult
    public mutating func execute(
        _ command: QMPCommand, passing descriptor: borrowing OwnedDescriptor
    ) throws(QMPError) -> JSONValue {
        try execute(command, passing: descriptor.rawValue)
    }

    /// The same for a descriptor whose owner is known to outlive the call.
    @discardableResult
    mutating func execute(_ command: QMPCommand, passing number: CInt) throws(QMPError) -> JSONValue {
        try execute(command, descriptors: [number], within: timeLimit)
    }

    private mutating func execute(
        _ command: QMPCommand, descriptors: [CInt], within time: Duration
    ) throws(QMPError) -> JSONValue {
        lastID += 1
        do throws(SystemCallError) {
            try socket.send(Array((command.message(id: lastID).text + "\r\n").utf8), descriptors: descriptors)
        } catch {
            let stuck = error.errno == .resourceTemporarilyUnavailable || error.errno == .wouldBlock
            throw QMPError(
                stuck ? .timedOut : .closed, socket: path, command: command.name,
                detail: stuck ? "within \(timeLimit.brief): the monitor reads nothing" : error.errno.description)
        }
        let deadline = ContinuousClock.now.advanced(by: time)
        while let message = try receive(for: command.name, until: deadline) {
            switch message {
            case .event(let event): keep(event)
            case .result(let value, let id):
                if try isAnswer(id, to: command) { return value }
            case .refusal(let kind, let description, let id):
                // What QEMU cannot read it refuses without an id.
                if id != nil, try !isAnswer(id, to: command) { continue }
                throw QMPError(.refused(class: kind), socket: path, command: command.name, detail: description)
            case .greeting:
                throw QMPError(.notQMP, socket: path, command: command.name, detail: "a second greeting came")
            }
        }
        throw QMPError(.timedOut, socket: path, command: command.name, detail: "within \(time.brief)")
    }

    /// Whether an answer is this command's: false for a late one, of a command that was given up.
    private func isAnswer(_ id: JSONValue?, to command: QMPCommand) throws(QMPError) -> Bool {
        guard let number = id?.integer, (1...lastID).contains(number) else {
            throw QMPError(.notQMP, socket: path, command: command.name, detail: "an answer came that nobody asked for")
        }
        return number == lastID
    }

    // MARK: events

    /// Waits for the first event that `isWanted` takes, one that came earlier included, and takes it out.
    ///
    /// - Returns: nil when none came in `time`.
    public mutating func event(
        within time: Duration, for command: String, where isWanted: (QMPEvent) -> Bool
    ) throws(QMPError) -> QMPEvent? {
        if let index = events.firstIndex(where: isWanted) { return events.remove(at: index) }
        let deadline = ContinuousClock.now.advanced(by: time)
        while let message = try receive(for: command, until: deadline) {
            switch message {
            case .event(let event):
                if isWanted(event) { return event }
                keep(event)
            case .result(_, let id), .refusal(_, _, let id):
                // The late answer of a command that was given up.
                guard let number = id?.integer, (1...lastID).contains(number) else {
                    throw QMPError(
                        .notQMP, socket: path, command: command, detail: "an answer came that nobody asked for")
                }
            case .greeting:
                throw QMPError(.notQMP, socket: path, command: command, detail: "a second greeting came")
            }
        }
        return nil
    }

    private mutating func keep(_ event: QMPEvent) {
        if events.count == Self.keptEvents { events.removeFirst() }
        events.append(event)
    }

    // MARK: messages

    private mutating func receive(
        for command: String, until deadline: ContinuousClock.Instant
    ) throws(QMPError) -> QMPMessage? {
        try Self.nextMessage(from: socket, &framing, path: path, command: command, until: deadline)
    }

    /// The next message; nil when none is whole by `deadline`.
    private static func nextMessage(
        from socket: borrowing UnixSocket, _ framing: inout JSONFraming, path: String, command: String?,
        until deadline: ContinuousClock.Instant
    ) throws(QMPError) -> QMPMessage? {
        while true {
            if let text = try nextText(in: &framing, path: path, command: command) {
                if let message = QMPMessage(text) { return message }
                throw QMPError(.notQMP, socket: path, command: command, detail: "\(excerpt(text)) came instead")
            }
            // Looked at before each read, so that a monitor that never stops talking cannot hold us either.
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return nil }
            let bytes: [UInt8]
            do throws(SystemCallError) {
                guard let chunk = try socket.receive(within: left) else { return nil }
                bytes = chunk.bytes
            } catch {
                throw QMPError(.closed, socket: path, command: command, detail: error.errno.description)
            }
            if bytes.isEmpty {
                throw QMPError(
                    .closed, socket: path, command: command,
                    detail: framing.isInsideObject ? "in the middle of a message" : "at the other side")
            }
            framing.append(bytes)
        }
    }

    private static func nextText(
        in framing: inout JSONFraming, path: String, command: String?
    ) throws(QMPError) -> [UInt8]? {
        do throws(JSONFraming.Failure) {
            return try framing.next()
        } catch {
            let what =
                switch error {
                case .notAnObject(let start):
                    "it does not speak QMP: \(excerpt(start)) came (is it a human monitor's socket?)"
                case .tooLong: "a message of more than \(framing.limit) bytes came"
                }
            throw QMPError(.notQMP, socket: path, command: command, detail: what)
        }
    }

    /// The start of what came, fit to be shown on a terminal.
    private static func excerpt(_ bytes: [UInt8]) -> String {
        let shown = bytes.prefix(60).map { (0x20..<0x7f).contains($0) ? Character(UnicodeScalar($0)) : "." }
        return "\"\(String(shown))\""
    }
}

extension QMPError {
    fileprivate init(unreachable path: String, _ error: SystemCallError) {
        let cure =
            switch error.errno {
            case .noSuchFileOrDirectory: "there is no such socket; start QEMU with -qmp unix:\(path),server=on,wait=off"
            case .connectionRefused: "nobody listens there any more; has QEMU ended?"
            case .permissionDenied, .notPermitted: "it may not be used: \(error.errno)"
            case .notSocket: "it is no socket"
            case .resourceTemporarilyUnavailable: "it lets nobody in: a monitor serves one client at a time"
            default: "\(error.errno)"
            }
        self.init(.unreachable(error.errno), socket: path, detail: cure)
    }
}

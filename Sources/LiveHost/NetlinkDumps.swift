internal import HostAccess
internal import LinuxIO
internal import Netlink
internal import SystemPackage

/// Asks the kernel for everything of a kind, over a netlink socket.
struct NetlinkDumps {
    /// The most bytes that one dump may have: some hundred thousand routes.
    private static let limit = 64 << 20
    /// The longest that one dump may take, however often it is asked for.
    private static let timeLimit = Duration.seconds(10)
    /// How often a dump is asked for while what it lists keeps changing; the last answer stands, and says so itself.
    private static let mostAttempts = 8
    /// What the kernel fills at once: 32 KiB, but for an interface with hundreds of virtual functions.
    private static let bufferSize = 64 << 10

    /// The raw messages of one dump, the one that ends it included.
    static func bytes(of dump: NetlinkDump) throws(HostAccessError) -> [UInt8] {
        let deadline = ContinuousClock.now + timeLimit
        var buffer = [UInt8](repeating: 0, count: bufferSize)
        var attempt = 1
        while true {
            let answer: Answer
            do throws(SystemCallError) {
                answer = try ask(for: dump, into: &buffer, until: deadline)
            } catch {
                throw HostAccessError(.netlinkDump, dump.rawValue, errno: error.errno)
            }
            switch answer {
            case .complete(let bytes, let wasInterrupted):
                if !wasInterrupted || attempt == mostAttempts || ContinuousClock.now >= deadline { return bytes }
            case .lost:
                guard attempt < mostAttempts else {
                    throw HostAccessError(.netlinkDump, dump.rawValue, errno: .noBufferSpace)
                }
            case .cut(let length):
                guard length <= limit, attempt < mostAttempts else {
                    throw HostAccessError(.netlinkDump, dump.rawValue, code: .unreadable, errno: .fileTooLarge)
                }
                buffer = [UInt8](repeating: 0, count: length)
            case .late:
                throw HostAccessError(.netlinkDump, dump.rawValue, errno: .timedOut)
            case .wrong(let error):
                throw HostAccessError(error, about: dump)
            }
            attempt += 1
        }
    }

    /// How asking once went.
    private enum Answer {
        case complete([UInt8], wasInterrupted: Bool)
        /// A datagram of this length did not fit into the buffer.
        case cut(length: Int)
        /// The socket could not hold all that came.
        case lost
        case late
        case wrong(NetlinkError)
    }

    /// Asks once, with a socket of its own: what is left over of an earlier answer is gone with its socket.
    private static func ask(
        for dump: NetlinkDump, into buffer: inout [UInt8], until deadline: ContinuousClock.Instant
    ) throws(SystemCallError) -> Answer {
        let socket = try NetlinkSocket()
        let sequence: UInt32 = 1
        let request: [UInt8]
        do { request = try dump.request(sequence: sequence) } catch { return .wrong(error) }
        try socket.send(request)
        var collector = DumpCollector(sequence: sequence, limit: limit)
        while true {
            let length: Int?
            do {
                length = try socket.receive(into: &buffer, within: deadline - .now)
            } catch  where error.errno == .noBufferSpace {
                return .lost
            }
            guard let length else { return .late }
            guard length <= buffer.count else { return .cut(length: length) }
            do throws(NetlinkError) {
                if try collector.take(buffer[..<length]) {
                    return .complete(collector.bytes, wasInterrupted: collector.wasInterrupted)
                }
            } catch {
                return .wrong(error)
            }
        }
    }
}

extension HostAccessError {
    /// Why a dump could not be had.
    fileprivate init(_ error: NetlinkError, about dump: NetlinkDump) {
        switch error.code {
        case .refused(let errno, _): self.init(.netlinkDump, dump.rawValue, errno: Errno(rawValue: errno))
        case .tooLong: self.init(.netlinkDump, dump.rawValue, code: .unreadable, errno: .fileTooLarge)
        default:
            self.init(.netlinkDump, dump.rawValue, code: .unavailable(error.description), errno: .badMessage)
        }
    }
}

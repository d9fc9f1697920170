public import SystemPackage

/// A monitor that could not be reached, did not answer, or refused.
public struct QMPError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: Hashable, Sendable {
        /// There is no socket, nobody listens at it, or it may not be used: `errno` says which.
        case unreachable(Errno)
        /// No answer in the time given.
        case timedOut
        /// The other side closed the connection, or it broke.
        case closed
        /// What came is not QMP.
        case notQMP
        /// The monitor refused a command: the error's class (`GenericError`, `DeviceNotFound`).
        case refused(class: String)
    }

    /// What went wrong.
    public var code: Code
    /// The monitor's socket.
    public var socket: String
    /// The command under way; nil while connecting.
    public var command: String?
    /// What was seen, or what the monitor said.
    public var detail: String

    /// Describes what went wrong.
    public init(_ code: Code, socket: String, command: String? = nil, detail: String) {
        self.code = code
        self.socket = socket
        self.command = command
        self.detail = detail
    }

    /// One sentence: what was tried, on which monitor, what came of it, what to do next.
    public var description: String {
        let tried = command.map { "\($0) at the monitor \(socket)" } ?? "connecting to the monitor \(socket)"
        return switch code {
        case .unreachable, .notQMP: "\(tried) failed: \(detail)"
        case .timedOut: "\(tried) had no answer \(detail)"
        case .closed: "\(tried): the connection ended (\(detail)); has QEMU ended?"
        case .refused: "\(tried) was refused: \(detail)"
        }
    }
}

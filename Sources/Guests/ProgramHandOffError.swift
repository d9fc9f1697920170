/// A hand-over to a command that did not happen. Nothing is left open or held.
public struct ProgramHandOffError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What stood in the way.
    public enum Code: Hashable, Sendable {
        /// A placeholder for a device that was not given, or of the other backend.
        case badPlaceholder
        /// The command is not there.
        case noSuchCommand
        /// The command is there and cannot be run.
        case notExecutable
        /// The user database has no such user.
        case noSuchUser
        /// The caller lacks the permission for it.
        case notPermitted
        /// Something that should have worked did not.
        case failed
    }

    /// What stood in the way.
    public var code: Code
    /// One sentence: what was tried, on what, what the kernel answered, what to do next.
    public var description: String

    /// Describes a hand-over that did not happen.
    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

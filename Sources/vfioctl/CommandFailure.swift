internal import Glibc

/// The exit statuses of the command contract.
enum ExitStatus: Int32 {
    case done = 0
    /// The answer is no: not ready, not viable, drift.
    case no = 1
    /// The host forbids it, and nothing was changed.
    case refused = 3
    /// A step failed, and all of it was undone.
    case rolledBack = 4
    /// A step failed and undoing did not finish, or a write is still pending.
    case incomplete = 5
    /// Wrong whatever the host looks like.
    case usage = 64
    /// No such device, virtual function or region.
    case noSuchThing = 66
    /// Another vfioctl holds the lock.
    case locked = 75
    /// The kernel lets only another user do this.
    case notPermitted = 77

    /// What is read is unusable: counted among "the host forbids it".
    static let unavailable = ExitStatus.refused
}

/// A command that ends here, with one sentence to the person and the contract's exit status.
struct CommandFailure: Error {
    var status: ExitStatus
    var sentence: String

    init(_ status: ExitStatus, _ sentence: String) {
        self.status = status
        self.sentence = sentence
    }

    /// Prints the sentence to standard error and ends the process.
    func report() -> Never {
        Output.complain(sentence)
        exit(status.rawValue)
    }
}

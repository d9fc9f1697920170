internal import Changes
internal import Glibc
internal import HostAccess
internal import SystemPackage

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
    /// The answer could not be written.
    case unwritten = 74
    /// Another vfioctl holds the lock.
    case locked = 75
    /// The kernel lets only another user do this.
    case notPermitted = 77
    /// `run`: COMMAND is there and cannot be run, as env(1) and the shells say it.
    case notExecutable = 126
    /// `run`: COMMAND is not there.
    case noSuchCommand = 127
}

/// A command that ends here, with one sentence to the person and the contract's exit status.
struct CommandFailure: Error {
    var status: ExitStatus
    var sentence: String

    init(_ status: ExitStatus, _ sentence: String) {
        self.status = status
        self.sentence = sentence
    }

    /// Something asked of the host that it did not do.
    init(_ error: HostAccessError) {
        if case .locked(let holder) = error.code {
            self.init(.locked, "another vfioctl is changing this host (\(holder)): try again when it has ended")
        } else if error.errno.isDenial {
            self.init(.notPermitted, "\(error); this takes root: try sudo")
        } else {
            self.init(.refused, "\(error)")
        }
    }

    /// The journal could not be read or written.
    init(_ error: JournalError) {
        self.init(error.errno?.isDenial == true ? .notPermitted : .refused, error.description)
    }

    /// Prints the sentence to standard error and ends the process.
    func report() -> Never {
        Output.complain(sentence)
        exit(status.rawValue)
    }
}

extension Errno {
    /// Whether the kernel lets only another user do this.
    var isDenial: Bool { self == .permissionDenied || self == .notPermitted }
}

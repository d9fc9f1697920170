internal import CLinux

/// The signals that would end this process half-way through a change.
public enum DeferredSignals {
    /// Puts SIGHUP, SIGINT, SIGPIPE and SIGTERM off for the rest of this process: pthread_sigmask(3), to be called from its
    /// main thread before it has others. A lost terminal then ends nothing, and a closed pipe is EPIPE.
    public static func begin() { _ = clinux_defer_signals() }

    /// Whether SIGINT or SIGTERM was sent since: sigpending(2).
    public static var isAskedToEnd: Bool { clinux_is_asked_to_end() != 0 }
}

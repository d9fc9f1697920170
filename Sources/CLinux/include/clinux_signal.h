// Signals that are put off while something must not be left half-way.
//
// Why C: sigset_t is opaque, and filling one takes a row of calls on a pointer.

#ifndef CLINUX_SIGNAL_H
#define CLINUX_SIGNAL_H

/// Blocks SIGHUP, SIGINT, SIGPIPE and SIGTERM for the calling thread and the threads it makes from now on:
/// pthread_sigmask(3). 0, or -errno.
long clinux_defer_signals(void);

/// Whether SIGINT or SIGTERM came since: sigpending(2).
int clinux_is_asked_to_end(void);

/// A descriptor that can be read once SIGINT or SIGTERM has come: signalfd(2), close-on-exec. Both are blocked for the
/// calling thread and the threads it makes from now on, and so is SIGPIPE, which nothing reads: a closed pipe is EPIPE.
/// Returns the descriptor or -errno.
long clinux_ending_signals(void);

#endif

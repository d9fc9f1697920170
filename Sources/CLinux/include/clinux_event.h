// eventfd, and waiting for a descriptor with a deadline.
//
// Why C: a wait that a signal interrupts has to go on for what is left of its time, not start again; ppoll and its
// timespec belong in one place.

#ifndef CLINUX_EVENT_H
#define CLINUX_EVENT_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/// eventfd(2): counting from 0, close-on-exec, reads that do not block.
long clinux_eventfd(void);

/// Waits with ppoll(2) until `fd` can be read (or has hung up), for at most `nanoseconds`; a negative number waits for
/// as long as it takes. Returns 1 when it can, 0 when the time is over, or -errno.
long clinux_wait_readable(int fd, int64_t nanoseconds);

/// Waits with poll(2), for as long as it takes, until something that is asked for happens to one of `count` descriptors.
/// Returns how many it happened to, or -errno.
long clinux_wait_any(struct pollfd *descriptors, size_t count);

#endif

// A write that may block for ever, made where it cannot take the caller with it.
//
// Writing to a sysfs file such as `unbind` puts the writer to uninterruptible sleep while someone holds the device. A
// thread doing so would keep its whole process from ever being reaped, so the write is made in a forked child. Between
// fork and _exit only async-signal-safe calls are allowed in a process that may have had threads: that is why this is
// C and not Swift.

#ifndef CLINUX_WRITE_HELPER_H
#define CLINUX_WRITE_HELPER_H

#include <stddef.h>
#include <sys/types.h>

/// Forks a child that opens `path` below `directory` for writing, writes `count` bytes in one write(2) and exits.
/// Waits at most `timeout_ms` for it.
///
/// Returns 0 when the write took all bytes, -errno when open or write failed (-EIO for a short write), and -ETIMEDOUT
/// when the child is still at it: `*child` then holds its pid, and it finishes (or not) on its own.
long clinux_write_in_child(int directory, const char *path, const void *bytes, size_t count, int timeout_ms,
                           pid_t *child);

#endif

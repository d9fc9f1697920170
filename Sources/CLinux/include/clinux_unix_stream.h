// A client's end of a Unix stream socket, with a time limit.
//
// Why C: sockaddr_un is a structure with a tail of variable length that Swift sees as a tuple, and SO_SNDTIMEO wants a
// timeval by pointer.

#ifndef CLINUX_UNIX_STREAM_H
#define CLINUX_UNIX_STREAM_H

#include <stdint.h>
#include <sys/types.h>

/// A close-on-exec stream socket connected to the Unix socket at `path`. Connecting, and every later send, gives up
/// with -EAGAIN when the other side makes no room for `timeout_ms`. A path longer than an address can hold is reached
/// through /proc/self/fd.
long clinux_connect_unix_within(const char *path, int timeout_ms);

/// SO_PEERCRED: the process that listens at the other end, as its pid is seen from here (0: from another namespace).
long clinux_peer_process(int fd, pid_t *pid);

#endif

// Unix sockets, and descriptors that travel over them in SCM_RIGHTS.
//
// Why C: the CMSG_* macros are not imported into Swift, and a control message is laid out by them alone.

#ifndef CLINUX_SOCKET_H
#define CLINUX_SOCKET_H

#include <stddef.h>

/// The most descriptors that one message carries: the kernel's SCM_MAX_FD.
static const size_t C_SCM_MAX_FD = 253;

/// A stream socket, close-on-exec, connected to the one that listens at `path`. Returns the descriptor or -errno
/// (-ENAMETOOLONG when `path` does not fit into sun_path).
long clinux_connect_unix(const char *path);

/// socketpair(2): two connected stream sockets, close-on-exec.
long clinux_socket_pair(int ends[2]);

/// sendmsg(2): `count` bytes (at least one), with `descriptor_count` descriptors on the first of them. Sends all of the
/// bytes: what the first message leaves over follows without the descriptors. SIGPIPE is not raised. Returns 0 or
/// -errno.
long clinux_send(int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count);

/// recvmsg(2): at most `capacity` bytes and `descriptor_capacity` descriptors, these close-on-exec. Returns the number
/// of bytes, 0 at the end of the stream, or -errno. More descriptors than there is room for is -EMSGSIZE; all that came
/// are closed then.
long clinux_receive(int socket, void *bytes, size_t capacity, int *descriptors, size_t descriptor_capacity,
                    size_t *descriptor_count);

#endif

// Netlink sockets: questions to the kernel's network side.
//
// Why C: sockaddr_nl goes by pointer to a generic sockaddr, which Swift can only forge, and a received message's sender
// and true length come out of one msghdr.

#ifndef CLINUX_NETLINK_H
#define CLINUX_NETLINK_H

#include <stddef.h>
#include <stdint.h>

/// NETLINK_ROUTE: links, addresses, routes.
static const int C_NETLINK_ROUTE = 0;

/// A close-on-exec netlink socket of one protocol, with a port of the kernel's choice. Where the kernel knows them,
/// NETLINK_EXT_ACK (refusals are explained in words) and NETLINK_GET_STRICT_CHK (what is asked is checked, and heeded) are
/// on. Returns the descriptor or -errno.
long clinux_open_netlink(int protocol);

/// sendto(2) the kernel, `count` bytes in one message. Returns 0 or -errno (-EMSGSIZE when not all of it was taken).
long clinux_send_netlink(int socket, const void *bytes, size_t count);

/// recvmsg(2): one datagram. Returns its true length, of which at most `capacity` bytes are in `bytes`; `*sender` is the
/// port that it comes from, 0 for the kernel. Or -errno: -ENOBUFS when the socket could not hold all that came.
long clinux_receive_netlink(int socket, void *bytes, size_t capacity, uint32_t *sender);

#endif

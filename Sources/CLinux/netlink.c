#define _GNU_SOURCE

#include "clinux_netlink.h"

#include "clinux_file.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/uio.h>

_Static_assert(NETLINK_ROUTE == 0, "C_NETLINK_ROUTE");

long clinux_open_netlink(int protocol) {
    long fd = CLINUX_RETRY(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
    if (fd < 0)
        return fd;
    // Kernels before 4.12 and 4.20 do not know these, and do without.
    int on = 1;
    (void)setsockopt((int)fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    (void)setsockopt((int)fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    long result = CLINUX_RETRY(bind((int)fd, (const struct sockaddr *)&address, sizeof address));
    if (result < 0) {
        clinux_close((int)fd);
        return result;
    }
    return fd;
}

long clinux_send_netlink(int socket, const void *bytes, size_t count) {
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    long sent = CLINUX_RETRY(sendto(socket, bytes, count, 0, (const struct sockaddr *)&kernel, sizeof kernel));
    if (sent < 0)
        return sent;
    return (size_t)sent == count ? 0 : -EMSGSIZE;
}

long clinux_receive_netlink(int socket, void *bytes, size_t capacity, uint32_t *sender) {
    struct sockaddr_nl from = {0};
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1};
    long length = CLINUX_RETRY(recvmsg(socket, &message, MSG_TRUNC | MSG_DONTWAIT));
    *sender = from.nl_pid;
    return length;
}

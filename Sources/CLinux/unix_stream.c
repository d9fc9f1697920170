#define _GNU_SOURCE

#include "clinux_unix_stream.h"

#include "clinux_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static long connect_to(const char *path, int timeout_ms) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);

    long fd = CLINUX_RETRY(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd < 0)
        return fd;
    // A Unix socket does not connect in the background: SO_SNDTIMEO is what bounds the wait for a listener's queue.
    struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    if (limit.tv_sec == 0 && limit.tv_usec == 0)
        limit.tv_usec = 1;
    long result = CLINUX_RETRY(setsockopt((int)fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
    if (result == 0)
        result = CLINUX_RETRY(connect((int)fd, (const struct sockaddr *)&address, sizeof address));
    if (result < 0) {
        clinux_close((int)fd);
        return result;
    }
    return fd;
}

long clinux_connect_unix_within(const char *path, int timeout_ms) {
    long result = connect_to(path, timeout_ms);
    if (result != -ENAMETOOLONG)
        return result;
    long place = CLINUX_RETRY(open(path, O_PATH | O_CLOEXEC));
    if (place < 0)
        return place;
    char through[32];
    snprintf(through, sizeof through, "/proc/self/fd/%ld", place);
    result = connect_to(through, timeout_ms);
    clinux_close((int)place);
    return result;
}

long clinux_peer_process(int fd, pid_t *pid) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    long result = CLINUX_RETRY(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length));
    if (result == 0)
        *pid = peer.pid;
    return result;
}

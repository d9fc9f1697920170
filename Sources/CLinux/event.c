#define _GNU_SOURCE

#include "clinux_event.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>

static const int64_t second = 1000000000;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * second + time.tv_nsec;
}

long clinux_eventfd(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd == -1 ? -(long)errno : fd;
}

long clinux_wait_any(struct pollfd *descriptors, size_t count) {
    for (;;) {
        int ready = poll(descriptors, count, -1);
        if (ready != -1)
            return ready;
        if (errno != EINTR)
            return -(long)errno;
    }
}

long clinux_wait_readable(int fd, int64_t nanoseconds) {
    int64_t start = now();
    // A limit of centuries is no limit.
    int64_t deadline = nanoseconds < 0 || start > INT64_MAX - nanoseconds ? INT64_MAX : start + nanoseconds;
    for (;;) {
        int64_t left = deadline - now();
        if (left < 0)
            left = 0;
        struct timespec limit = {.tv_sec = left / second, .tv_nsec = left % second};
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        int ready = ppoll(&readable, 1, deadline == INT64_MAX ? NULL : &limit, NULL);
        if (ready == -1 && errno == EINTR)
            continue;
        if (ready == -1)
            return -(long)errno;
        if (ready == 1 && readable.revents & POLLNVAL)
            return -EBADF;
        return ready;
    }
}

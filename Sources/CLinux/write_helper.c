#define _GNU_SOURCE

#include "clinux_write_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/// `fd` under a number above the three standard streams.
static int above_streams(int fd) {
    return fd >= 0 && fd <= 2 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : fd;
}

/// The child's whole life. Only async-signal-safe calls.
static void write_and_report(int directory, const char *path, const void *bytes, size_t count, int report) {
    int32_t answer = 0;
    int fd = openat(directory, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        answer = errno;
    fd = above_streams(fd);
    report = above_streams(report);

    // Nothing else of the caller's stays open here for as long as the write blocks. Its streams, so that whoever waits
    // for the end of a pipe does not wait for this child; its locks (flock belongs to the open file, which fork shares)
    // and devices, so that they go when the caller goes.
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
    }
    int low = fd < 0 || report < fd ? report : fd, high = report < fd ? fd : report;
    if (low > 3)
        close_range(3, (unsigned)low - 1, 0);
    if (high > low + 1)
        close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    close_range((unsigned)high + 1, ~0U, 0);

    // The terminal's signals are left to the caller, who decides what an interrupted change means.
    setsid();
    if (fd >= 0) {
        ssize_t written;
        do {
            written = write(fd, bytes, count);
        } while (written == -1 && errno == EINTR);
        if (written == -1)
            answer = errno;
        else if ((size_t)written != count)
            answer = EIO;
    }
    ssize_t ignored = write(report, &answer, sizeof answer);
    (void)ignored;
    _exit(0);
}

long clinux_write_in_child(int directory, const char *path, const void *bytes, size_t count, int timeout_ms,
                           pid_t *child) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == -1)
        return -errno;
    pid_t pid = fork();
    if (pid == -1) {
        long error = -errno;
        close(ends[0]);
        close(ends[1]);
        return error;
    }
    if (pid == 0) {
        signal(SIGPIPE, SIG_IGN);
        write_and_report(directory, path, bytes, count, ends[1]);
    }
    close(ends[1]);
    *child = pid;

    int64_t deadline = now_ms() + timeout_ms;
    struct pollfd readable = {.fd = ends[0], .events = POLLIN};
    long result = -ETIMEDOUT;
    for (;;) {
        int64_t left = deadline - now_ms();
        int ready = poll(&readable, 1, left > 0 ? (int)left : 0);
        if (ready == -1 && errno == EINTR)
            continue;
        if (ready == 1) {
            int32_t answer;
            ssize_t got = read(ends[0], &answer, sizeof answer);
            // No answer at all: the child was killed before it could say.
            result = got == sizeof answer ? -(long)answer : -EINTR;
            while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
                ;
        }
        break;
    }
    close(ends[0]);
    return result;
}

#include "clinux_signal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>

long clinux_defer_signals(void) {
    sigset_t deferred;
    sigemptyset(&deferred);
    sigaddset(&deferred, SIGHUP);
    sigaddset(&deferred, SIGINT);
    sigaddset(&deferred, SIGPIPE);
    sigaddset(&deferred, SIGTERM);
    return -(long)pthread_sigmask(SIG_BLOCK, &deferred, NULL);
}

int clinux_is_asked_to_end(void) {
    sigset_t pending;
    return sigpending(&pending) == 0 && (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

long clinux_ending_signals(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd == -1)
        return -(long)errno;
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    return fd;
}

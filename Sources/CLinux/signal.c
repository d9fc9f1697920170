#include "clinux_signal.h"

#include <pthread.h>
#include <signal.h>

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

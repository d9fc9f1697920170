// ioctl(2), retried and answering -errno.
//
// Why C: ioctl is variadic and not imported into Swift, and errno has to be read in the same breath. A pointer and a
// number are different things to pass, so each has its own wrapper.

#ifndef CLINUX_IOCTL_H
#define CLINUX_IOCTL_H

#include <sys/ioctl.h>

#include "clinux_file.h"

/// ioctl(2) with a structure, or a string, as its argument; NULL for none.
static inline long clinux_ioctl(int fd, unsigned long request, void *argument) {
    return CLINUX_RETRY(ioctl(fd, request, argument));
}

/// ioctl(2) with a number as its argument, passed by value.
static inline long clinux_ioctl_value(int fd, unsigned long request, unsigned long argument) {
    return CLINUX_RETRY(ioctl(fd, request, argument));
}

#endif

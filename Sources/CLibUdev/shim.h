// libudev: the hardware database of names, and device events.
//
// The two wrappers answer -errno, since reading errno from Swift after a call is not promised to see that call's.

#ifndef CLIBUDEV_SHIM_H
#define CLIBUDEV_SHIM_H

#include <errno.h>
#include <libudev.h>
#include <stddef.h>

/// A monitor of the subsystem `pci` that listens already: udev_monitor_new_from_netlink(3) with `source` ("udev" or
/// "kernel"), udev_monitor_enable_receiving(3). The buffer is as large as the kernel lets it be, up to `buffer_size`
/// bytes. 0, with the monitor in `*monitor`, or -errno.
static inline long clibudev_monitor(struct udev *udev, const char *source, int buffer_size, struct udev_monitor **monitor) {
    errno = 0;
    struct udev_monitor *made = udev_monitor_new_from_netlink(udev, source);
    if (!made)
        return errno ? -(long)errno : -ENOMEM;
    // A smaller buffer than asked for is no reason not to listen: what it loses is told.
    udev_monitor_set_receive_buffer_size(made, buffer_size);
    int result = udev_monitor_filter_add_match_subsystem_devtype(made, "pci", NULL);
    if (result >= 0)
        result = udev_monitor_enable_receiving(made);
    if (result < 0) {
        udev_monitor_unref(made);
        return result;
    }
    *monitor = made;
    return 0;
}

/// udev_monitor_receive_device(3): 1 with the next event in `*device`, which the caller gives back; 0 when none is waiting;
/// or -errno, of which -ENOBUFS says that events were lost.
static inline long clibudev_receive(struct udev_monitor *monitor, struct udev_device **device) {
    errno = 0;
    *device = udev_monitor_receive_device(monitor);
    if (*device)
        return 1;
    return errno == 0 || errno == EAGAIN || errno == EINTR ? 0 : -(long)errno;
}

#endif

// The only C of the package: wrappers and accessors that Swift cannot express, one header a topic.

#ifndef CLINUX_H
#define CLINUX_H

#include "clinux_event.h"
#include "clinux_exec.h"
#include "clinux_file.h"
#include "clinux_ioctl.h"
#include "clinux_memory.h"
#include "clinux_mmio.h"
#include "clinux_netlink.h"
#include "clinux_signal.h"
#include "clinux_socket.h"
#include "clinux_unix_stream.h"
#include "clinux_vfio.h"
#include "clinux_write_helper.h"

#endif

// The only C of the package: wrappers and accessors that Swift cannot express, one header a topic.

#ifndef CLINUX_H
#define CLINUX_H

#include "clinux_exec.h"
#include "clinux_file.h"
#include "clinux_unix_stream.h"
#include "clinux_write_helper.h"

#endif

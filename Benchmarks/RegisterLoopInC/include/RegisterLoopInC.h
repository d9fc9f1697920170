// What `register-cost swift` is measured against.

#pragma once

#include <stdint.h>

// The sum of `count` reads of one 32-bit register, each ordered as the kernel's readl() is.
uint32_t register_loop(const void *address, int64_t count);

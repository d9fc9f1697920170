#include "RegisterLoopInC.h"

// No later load is older than the read. x86 sees to that itself; only the compiler must be told.
#if defined(__x86_64__)
#define AFTER_READ() __asm__ volatile("" ::: "memory")
#else
#define AFTER_READ() __asm__ volatile("dmb oshld" ::: "memory")
#endif

__attribute__((noinline)) uint32_t register_loop(const void *address, int64_t count) {
    uint32_t sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += *(const volatile uint32_t *)address;
        AFTER_READ();
    }
    return sum;
}

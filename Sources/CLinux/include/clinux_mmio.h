// Device registers: one volatile access each, of exactly the width that its name says.
//
// Why C: Swift has no volatile. An ordinary Swift load in a polling loop is hoisted out of it, two stores to one
// register become one, and neither Atomic nor Span promises otherwise.
//
// Ordering is that of the kernel's readl and writel: what was stored to memory before a register write is seen by the
// device that the write starts, and what is loaded from memory after a register read is not older than that read. On
// x86 this costs no instruction.

#ifndef CLINUX_MMIO_H
#define CLINUX_MMIO_H

#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#define CLINUX_BEFORE_WRITE() __asm__ volatile("" ::: "memory")
#define CLINUX_AFTER_READ() __asm__ volatile("" ::: "memory")
#elif defined(__aarch64__)
#define CLINUX_BEFORE_WRITE() __asm__ volatile("dmb oshst" ::: "memory")
#define CLINUX_AFTER_READ() __asm__ volatile("dmb oshld" ::: "memory")
#else
#define CLINUX_BEFORE_WRITE() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define CLINUX_AFTER_READ() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

#define CLINUX_REGISTER(bits)                                                            \
    static inline uint##bits##_t clinux_mmio_read##bits(const void *address) {           \
        uint##bits##_t value = *(const volatile uint##bits##_t *)address;                \
        CLINUX_AFTER_READ();                                                             \
        return value;                                                                    \
    }                                                                                    \
    static inline void clinux_mmio_write##bits(void *address, uint##bits##_t value) {    \
        CLINUX_BEFORE_WRITE();                                                           \
        *(volatile uint##bits##_t *)address = value;                                     \
    }

CLINUX_REGISTER(8)
CLINUX_REGISTER(16)
CLINUX_REGISTER(32)
CLINUX_REGISTER(64)

// A 64-bit register behind a 32-bit bus is two accesses, and which goes first matters to the device: the name says it.

/// Reads the low half, then the high half.
static inline uint64_t clinux_mmio_read64_low_high(const void *address) {
    uint64_t low = clinux_mmio_read32(address);
    uint64_t high = clinux_mmio_read32((const char *)address + 4);
    return high << 32 | low;
}

/// Reads the high half, then the low half.
static inline uint64_t clinux_mmio_read64_high_low(const void *address) {
    uint64_t high = clinux_mmio_read32((const char *)address + 4);
    uint64_t low = clinux_mmio_read32(address);
    return high << 32 | low;
}

/// Writes the low half, then the high half.
static inline void clinux_mmio_write64_low_high(void *address, uint64_t value) {
    clinux_mmio_write32(address, (uint32_t)value);
    clinux_mmio_write32((char *)address + 4, (uint32_t)(value >> 32));
}

/// Writes the high half, then the low half.
static inline void clinux_mmio_write64_high_low(void *address, uint64_t value) {
    clinux_mmio_write32((char *)address + 4, (uint32_t)(value >> 32));
    clinux_mmio_write32(address, (uint32_t)value);
}

#endif

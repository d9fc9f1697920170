// Memory mappings, and transfers at an offset of a file.
//
// Why C: MAP_FAILED and the MAP_HUGE_* constants are not imported into Swift, and errno has to be read in the same
// breath.

#ifndef CLINUX_MEMORY_H
#define CLINUX_MEMORY_H

#include <linux/mman.h>
#include <sys/mman.h>

#include "clinux_file.h"

static const int C_MAP_HUGE_2MB = MAP_HUGETLB | MAP_HUGE_2MB;
static const int C_MAP_HUGE_1GB = MAP_HUGETLB | MAP_HUGE_1GB;

/// mmap(2) at an address of the kernel's choice, put into `*address`. Returns 0 or -errno.
static inline long clinux_mmap(size_t length, int protection, int flags, int fd, int64_t offset, void **address) {
    void *mapped = mmap(NULL, length, protection, flags, fd, offset);
    if (mapped == MAP_FAILED)
        return -(long)errno;
    *address = mapped;
    return 0;
}

/// munmap(2).
static inline long clinux_munmap(void *address, size_t length) {
    return munmap(address, length) == -1 ? -(long)errno : 0;
}

/// madvise(2) with MADV_DONTFORK: a forked child does not share the pages, so that a device goes on writing to the
/// parent's and not to a copy.
static inline long clinux_keep_from_fork(void *address, size_t length) {
    return CLINUX_RETRY(madvise(address, length, MADV_DONTFORK));
}

/// pread(2).
static inline long clinux_pread(int fd, void *buffer, size_t count, int64_t offset) {
    return CLINUX_RETRY(pread(fd, buffer, count, offset));
}

/// pwrite(2).
static inline long clinux_pwrite(int fd, const void *buffer, size_t count, int64_t offset) {
    return CLINUX_RETRY(pwrite(fd, buffer, count, offset));
}

/// The size of an ordinary page, in bytes.
static inline size_t clinux_page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

#endif

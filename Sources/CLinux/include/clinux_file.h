// Files and directories: one retrying, errno-returning wrapper per system call.
//
// Why C: `openat` is variadic, `openat2` and `getdents64` have no glibc 2.36 prototype, and reading errno from Swift
// after a call is not promised to see that call's errno. Each wrapper loops on EINTR here, and nowhere else, and answers
// the call's own result or -errno.

#ifndef CLINUX_FILE_H
#define CLINUX_FILE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define CLINUX_RETRY(call)                                  \
    ({                                                      \
        long clinux_result;                                 \
        do {                                                \
            clinux_result = (long)(call);                   \
        } while (clinux_result == -1 && errno == EINTR);    \
        clinux_result == -1 ? -(long)errno : clinux_result; \
    })

/// O_PATH, which <fcntl.h> names only for C that asks for GNU extensions: the importer does not.
static const int CLINUX_O_PATH = __O_PATH;

/// openat(2).
static inline long clinux_openat(int directory, const char *path, int flags, mode_t mode) {
    return CLINUX_RETRY(openat(directory, path, flags | O_CLOEXEC, mode));
}

/// openat2(2) with RESOLVE_IN_ROOT: `directory` is "/" for the path and for every link on the way. EAGAIN (a rename
/// raced with the walk) is retried a bounded number of times, as the manual page advises.
static inline long clinux_openat_in_root(int directory, const char *path, int flags) {
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    long result = -EAGAIN;
    for (int attempt = 0; attempt < 16 && result == -EAGAIN; attempt++)
        result = CLINUX_RETRY(syscall(SYS_openat2, directory, path, &how, sizeof how));
    return result;
}

/// read(2).
static inline long clinux_read(int fd, void *buffer, size_t count) {
    return CLINUX_RETRY(read(fd, buffer, count));
}

/// write(2).
static inline long clinux_write(int fd, const void *buffer, size_t count) {
    return CLINUX_RETRY(write(fd, buffer, count));
}

/// close(2), never retried: on Linux the descriptor is gone whatever it answers.
static inline long clinux_close(int fd) {
    return close(fd) == -1 ? -(long)errno : 0;
}

/// readlinkat(2). An empty `path` reads the link that an O_PATH|O_NOFOLLOW descriptor stands for.
static inline long clinux_readlinkat(int directory, const char *path, char *buffer, size_t count) {
    return CLINUX_RETRY(readlinkat(directory, path, buffer, count));
}

/// getdents64(2): records of `struct linux_dirent64` in `buffer`; 0 at the end.
static inline long clinux_getdents64(int fd, void *buffer, size_t count) {
    return CLINUX_RETRY(syscall(SYS_getdents64, fd, buffer, count));
}

/// The length of the directory record at `record`, and its name: the flexible array is not imported into Swift.
struct clinux_dirent {
    uint64_t d_ino;
    int64_t d_off;
    uint16_t d_reclen;
    uint8_t d_type;
    char d_name[];
};
static inline uint16_t clinux_dirent_length(const void *record) {
    return ((const struct clinux_dirent *)record)->d_reclen;
}
static inline const char *clinux_dirent_name(const void *record) {
    return ((const struct clinux_dirent *)record)->d_name;
}

/// fstat(2): the file's mode in `*mode`, its size in `*size`.
static inline long clinux_fstat(int fd, uint32_t *mode, int64_t *size) {
    struct stat status;
    long result = CLINUX_RETRY(fstat(fd, &status));
    if (result == 0) {
        *mode = status.st_mode;
        *size = status.st_size;
    }
    return result;
}

/// fstatat(2) of the name itself, a link not followed: the mode in `*mode`.
static inline long clinux_mode(int directory, const char *path, uint32_t *mode) {
    struct stat status;
    long result = CLINUX_RETRY(fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW));
    if (result == 0) *mode = status.st_mode;
    return result;
}

/// fstatat(2), links followed: the file's mode, owner and group.
static inline long clinux_ownership(int directory, const char *path, uint32_t *mode, uint32_t *owner, uint32_t *group) {
    struct stat status;
    long result = CLINUX_RETRY(fstatat(directory, path, &status, 0));
    if (result == 0) {
        *mode = status.st_mode;
        *owner = status.st_uid;
        *group = status.st_gid;
    }
    return result;
}

/// mkdirat(2).
static inline long clinux_mkdirat(int directory, const char *path, mode_t mode) {
    return CLINUX_RETRY(mkdirat(directory, path, mode));
}

/// fchmod(2): the mode as given, whatever the umask.
static inline long clinux_fchmod(int fd, mode_t mode) {
    return CLINUX_RETRY(fchmod(fd, mode));
}

/// fsync(2).
static inline long clinux_fsync(int fd) {
    return CLINUX_RETRY(fsync(fd));
}

/// renameat(2) within one directory.
static inline long clinux_renameat(int directory, const char *from, const char *to) {
    return CLINUX_RETRY(renameat(directory, from, directory, to));
}

/// unlinkat(2) of a file.
static inline long clinux_unlinkat(int directory, const char *path) {
    return CLINUX_RETRY(unlinkat(directory, path, 0));
}

/// unlinkat(2) of an empty directory.
static inline long clinux_remove_directory(int directory, const char *path) {
    return CLINUX_RETRY(unlinkat(directory, path, AT_REMOVEDIR));
}

/// symlinkat(2).
static inline long clinux_symlinkat(const char *target, int directory, const char *path) {
    return CLINUX_RETRY(symlinkat(target, directory, path));
}

/// ftruncate(2).
static inline long clinux_ftruncate(int fd, int64_t size) {
    return CLINUX_RETRY(ftruncate(fd, size));
}

/// flock(2): the whole file, for one owner, without waiting. -EWOULDBLOCK when another has it.
static inline long clinux_try_lock(int fd) {
    return CLINUX_RETRY(flock(fd, LOCK_EX | LOCK_NB));
}

#endif

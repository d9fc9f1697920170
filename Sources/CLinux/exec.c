#define _GNU_SOURCE

#include "clinux_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

long clinux_duplicate_from(int fd, int lowest) {
    int number = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
    return number == -1 ? -errno : number;
}

long clinux_set_close_on_exec(int fd, int close_on_exec) {
    int flags = fcntl(fd, F_GETFD);
    if (flags == -1)
        return -errno;
    flags = close_on_exec ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
    return fcntl(fd, F_SETFD, flags) == -1 ? -errno : 0;
}

long clinux_close_on_exec_from(unsigned first) {
    return syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) == -1 ? -errno : 0;
}

long clinux_is_executable(const char *path) {
    struct stat status;
    if (stat(path, &status) == -1)
        return -errno;
    if (S_ISDIR(status.st_mode))
        return -EISDIR;
    if (!S_ISREG(status.st_mode))
        return -EACCES;
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == -1 ? -errno : 0;
}

/// Both lookups want a buffer whose size nobody knows beforehand.
static long with_passwd_buffer(long (*look_up)(void *context, char *buffer, size_t count), void *context) {
    for (size_t count = 1024; count <= 1 << 20; count *= 2) {
        char *buffer = malloc(count);
        if (!buffer)
            return -ENOMEM;
        long result = look_up(context, buffer, count);
        free(buffer);
        if (result != -ERANGE)
            return result;
    }
    return -ERANGE;
}

/// POSIX has both calls answer 0 with no entry; some name services answer one of these instead.
static long lookup_result(int error, const struct passwd *found) {
    if (error == 0)
        return found ? 0 : 1;
    return error == ENOENT || error == ESRCH ? 1 : -error;
}

struct lookup {
    const char *name;
    uid_t uid;
    gid_t gid;
    char *into;
    size_t count;
};

static long look_up_name(void *context, char *buffer, size_t count) {
    struct lookup *lookup = context;
    struct passwd entry, *found = NULL;
    int error = getpwnam_r(lookup->name, &entry, buffer, count, &found);
    if (found) {
        lookup->uid = found->pw_uid;
        lookup->gid = found->pw_gid;
    }
    return lookup_result(error, found);
}

static long look_up_number(void *context, char *buffer, size_t count) {
    struct lookup *lookup = context;
    struct passwd entry, *found = NULL;
    int error = getpwuid_r(lookup->uid, &entry, buffer, count, &found);
    if (found) {
        if (strlen(found->pw_name) >= lookup->count)
            return -ENAMETOOLONG;
        strcpy(lookup->into, found->pw_name);
        lookup->gid = found->pw_gid;
    }
    return lookup_result(error, found);
}

long clinux_user_named(const char *name, uid_t *uid, gid_t *gid) {
    struct lookup lookup = {.name = name};
    long result = with_passwd_buffer(look_up_name, &lookup);
    *uid = lookup.uid;
    *gid = lookup.gid;
    return result;
}

long clinux_user_numbered(uid_t uid, gid_t *gid, char *name, size_t count) {
    struct lookup lookup = {.uid = uid, .into = name, .count = count};
    long result = with_passwd_buffer(look_up_number, &lookup);
    *gid = lookup.gid;
    return result;
}

long clinux_raise_locked_memory(uint64_t bytes) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == -1)
        return -errno;
    // RLIM_INFINITY is the largest number there is, so "at least" holds for it too.
    if (limit.rlim_cur >= bytes)
        return 0;
    limit.rlim_cur = bytes;
    if (limit.rlim_max < bytes)
        limit.rlim_max = bytes;
    return setrlimit(RLIMIT_MEMLOCK, &limit) == -1 ? -errno : 0;
}

/// Empties the bounding set, so that not even user 0 gains a capability at exec. A caller without CAP_SETPCAP cannot;
/// for any other user no_new_privs makes up for it.
static long drop_bounding_set(uid_t uid) {
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == -1) {
            if (errno == EPERM && uid != 0)
                return 0;
            return -errno;
        }
    }
    return 0;
}

static long drop_capabilities(void) {
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1)
        return -errno;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return syscall(SYS_capset, &header, none) == -1 ? -errno : 0;
}

long clinux_become(const char *name, uid_t uid, gid_t gid, enum clinux_become_step *step) {
    *step = CLINUX_BECOME_BOUNDING;
    long result = drop_bounding_set(uid);
    if (result < 0)
        return result;

    *step = CLINUX_BECOME_GROUPS;
    if (initgroups(name, gid) == -1)
        return -errno;

    *step = CLINUX_BECOME_GROUP;
    if (setresgid(gid, gid, gid) == -1)
        return -errno;

    *step = CLINUX_BECOME_USER;
    if (setresuid(uid, uid, uid) == -1)
        return -errno;

    *step = CLINUX_BECOME_CAPABILITIES;
    result = drop_capabilities();
    if (result < 0)
        return result;

    *step = CLINUX_BECOME_NO_NEW_PRIVILEGES;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ? -errno : 0;
}

long clinux_execute(const char *file, char *const *arguments, char *const *environment) {
    execvpe(file, arguments, environment);
    return -errno;
}

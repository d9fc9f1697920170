// Becoming another program: which descriptors go along, as whom it runs, how much memory it may lock.
//
// Why C: capset(2) has no glibc prototype, execve wants arrays of pointers that nothing else may free, `environ` is a
// global that Swift's concurrency rules rightly refuse, and errno must be read in the same breath as the call.

#ifndef CLINUX_EXEC_H
#define CLINUX_EXEC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// The environment of this process, as execve(2) takes it.
static inline char *const *clinux_environment(void) {
    extern char **environ;
    return environ;
}

/// F_DUPFD_CLOEXEC: a duplicate with a number of at least `lowest`.
long clinux_duplicate_from(int fd, int lowest);

/// Whether `fd` stays open across exec: clears or sets FD_CLOEXEC.
long clinux_set_close_on_exec(int fd, int close_on_exec);

/// close_range(2) with CLOSE_RANGE_CLOEXEC: every open descriptor from `first` up goes at the next exec, and not
/// before, so that a failing exec can still be reported.
long clinux_close_on_exec_from(unsigned first);

/// Whether `path` is a regular file that this process may execute: faccessat(2) with AT_EACCESS. 0, -EACCES, -EISDIR, …
long clinux_is_executable(const char *path);

/// getpwnam_r(3): 0 and the ids, 1 when the user database has no such name, or -errno.
long clinux_user_named(const char *name, uid_t *uid, gid_t *gid);

/// getpwuid_r(3): 0, the name (cut at `count` is -ERANGE) and the group, 1 when there is no such user, or -errno.
long clinux_user_numbered(uid_t uid, gid_t *gid, char *name, size_t count);

/// RLIMIT_MEMLOCK raised, never lowered, to `bytes`: both the soft and the hard limit. Where the hard limit has to rise
/// this needs CAP_SYS_RESOURCE (-EPERM).
long clinux_raise_locked_memory(uint64_t bytes);

/// Steps of clinux_become, for naming the one that failed.
enum clinux_become_step {
    CLINUX_BECOME_BOUNDING,
    CLINUX_BECOME_GROUPS,
    CLINUX_BECOME_GROUP,
    CLINUX_BECOME_USER,
    CLINUX_BECOME_CAPABILITIES,
    CLINUX_BECOME_NO_NEW_PRIVILEGES,
};

/// Makes the calling thread, which is about to exec, run as a user and nothing more: supplementary groups by
/// initgroups(3), all three group ids, all three user ids, empty capability sets (bounding and ambient ones too) and
/// no_new_privs. 0, or -errno with `*step` saying which part the kernel refused; there is no way back from half of it,
/// so the caller ends.
long clinux_become(const char *name, uid_t uid, gid_t gid, enum clinux_become_step *step);

/// execvpe(3). Returns only -errno.
long clinux_execute(const char *file, char *const *arguments, char *const *environment);

#endif

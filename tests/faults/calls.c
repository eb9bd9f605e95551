/* The system calls that are counted: a table of them, the kernel's filter made of it, and the files they name. */
#include "calls.h"

#include "tracee.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define THIS_PROCESSOR AUDIT_ARCH_X86_64
#else
#define THIS_PROCESSOR AUDIT_ARCH_AARCH64
#endif

/* How an argument names a file. FOLDER is two: a descriptor of the folder that the path after it starts from. */
typedef enum { NOTHING, DESCRIPTOR, PATH, FOLDER } way;

typedef struct {
    int number;
    const char *name;
    struct {
        way how;
        int argument;
    } file, target; /* the target is looked at first */
    unsigned wanted;
    int length;
    bool pieces;
} kind;

#define IN_DESCRIPTOR(n) .file = {DESCRIPTOR, n}
#define IN_PATH(n) .file = {PATH, n}
#define IN_FOLDER(n) .file = {FOLDER, n}

static const kind kinds[] = {
    {SYS_openat, "open", IN_FOLDER(0)},
    {SYS_openat2, "open", IN_FOLDER(0)},
    {SYS_close, "close", IN_DESCRIPTOR(0)},
    {SYS_write, "write", IN_DESCRIPTOR(0), .length = 2},
    {SYS_pwrite64, "write", IN_DESCRIPTOR(0), .length = 2},
    {SYS_writev, "write", IN_DESCRIPTOR(0), .length = 2, .pieces = true},
    {SYS_pwritev, "write", IN_DESCRIPTOR(0), .length = 2, .pieces = true},
    {SYS_pwritev2, "write", IN_DESCRIPTOR(0), .length = 2, .pieces = true},
    {SYS_copy_file_range, "write", IN_DESCRIPTOR(2), .length = 4},
    {SYS_sendfile, "write", IN_DESCRIPTOR(0), .length = 3},
    {SYS_read, "read", IN_DESCRIPTOR(0), .wanted = CALL_READS},
    {SYS_pread64, "read", IN_DESCRIPTOR(0), .wanted = CALL_READS},
    {SYS_readv, "read", IN_DESCRIPTOR(0), .wanted = CALL_READS},
    {SYS_preadv, "read", IN_DESCRIPTOR(0), .wanted = CALL_READS},
    {SYS_preadv2, "read", IN_DESCRIPTOR(0), .wanted = CALL_READS},
    {SYS_fsync, "fsync", IN_DESCRIPTOR(0)},
    {SYS_fdatasync, "fsync", IN_DESCRIPTOR(0)},
    {SYS_sync_file_range, "fsync", IN_DESCRIPTOR(0)},
    {SYS_syncfs, "fsync", IN_DESCRIPTOR(0)},
    {SYS_renameat2, "rename", IN_FOLDER(0), .target = {FOLDER, 2}},
    {SYS_unlinkat, "unlink", IN_FOLDER(0)},
    {SYS_mkdirat, "mkdir", IN_FOLDER(0)},
    {SYS_linkat, "link", IN_FOLDER(0), .target = {FOLDER, 2}},
    {SYS_symlinkat, "symlink", IN_FOLDER(1)},
    {SYS_truncate, "truncate", IN_PATH(0)},
    {SYS_ftruncate, "truncate", IN_DESCRIPTOR(0)},
    {SYS_fallocate, "fallocate", IN_DESCRIPTOR(0)},
    {SYS_fchmod, "chmod", IN_DESCRIPTOR(0)},
    {SYS_fchmodat, "chmod", IN_FOLDER(0)},
    {SYS_fchown, "chown", IN_DESCRIPTOR(0)},
    {SYS_fchownat, "chown", IN_FOLDER(0)},
    {SYS_fcntl, "lock", IN_DESCRIPTOR(0)},
    {SYS_dup3, "dup", IN_DESCRIPTOR(0)},
    {SYS_flock, "lock", IN_DESCRIPTOR(0)},
    {SYS_mmap, "mmap", IN_DESCRIPTOR(4)},
    {SYS_statx, "stat", IN_FOLDER(0), .wanted = CALL_STATS},
    {SYS_newfstatat, "stat", IN_FOLDER(0), .wanted = CALL_STATS},
    {SYS_fstat, "stat", IN_DESCRIPTOR(0), .wanted = CALL_STATS},
    {SYS_faccessat, "stat", IN_FOLDER(0), .wanted = CALL_STATS},
    {SYS_faccessat2, "stat", IN_FOLDER(0), .wanted = CALL_STATS},
/* Newer processors have only the calls that start from a folder. */
#ifdef SYS_renameat
    {SYS_renameat, "rename", IN_FOLDER(0), .target = {FOLDER, 2}},
#endif
#ifdef SYS_open
    {SYS_open, "open", IN_PATH(0)},
    {SYS_creat, "open", IN_PATH(0)},
    {SYS_rename, "rename", IN_PATH(0), .target = {PATH, 1}},
    {SYS_unlink, "unlink", IN_PATH(0)},
    {SYS_rmdir, "rmdir", IN_PATH(0)},
    {SYS_mkdir, "mkdir", IN_PATH(0)},
    {SYS_link, "link", IN_PATH(0), .target = {PATH, 1}},
    {SYS_symlink, "symlink", IN_PATH(1)},
    {SYS_chmod, "chmod", IN_PATH(0)},
    {SYS_chown, "chown", IN_PATH(0)},
    {SYS_lchown, "chown", IN_PATH(0)},
    {SYS_stat, "stat", IN_PATH(0), .wanted = CALL_STATS},
    {SYS_lstat, "stat", IN_PATH(0), .wanted = CALL_STATS},
    {SYS_access, "stat", IN_PATH(0), .wanted = CALL_STATS},
#endif
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- the filter ---- */

#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, what)
#define IF_NOT_SKIP(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1)

bool calls_filter(unsigned wanted) {
    struct sock_filter steps[2 * KINDS + 8] = {
        FIELD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_PROCESSOR, 1, 0),
        ANSWER(SECCOMP_RET_ALLOW),
        FIELD(nr),
    };
    unsigned short count = 4;
    for (int i = 0; i < KINDS; i++) {
        if (kinds[i].wanted & ~wanted) continue;
        steps[count++] = (struct sock_filter)IF_NOT_SKIP((unsigned)kinds[i].number);
        steps[count++] = (struct sock_filter)ANSWER(SECCOMP_RET_TRACE);
    }
    steps[count++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
    struct sock_fprog program = {count, steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* ---- which file ---- */

/* The path of an entry of a folder, with the folder's links followed and those of the entry not. */
static void follow_folder(char path[PATH_MAX]) {
    char folder[PATH_MAX];
    char *slash = strrchr(path, '/');
    const char *entry = slash + 1;
    bool whole = !*entry || strcmp(entry, ".") == 0 || strcmp(entry, "..") == 0;
    if (!whole) *slash = 0;
    char *real = realpath(*path ? path : "/", folder);
    if (!whole) *slash = '/';
    if (!real) return; /* there is no such folder, as the call will find out itself */
    size_t length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    size_t rest = whole ? 0 : strlen(slash);
    if (length + rest >= PATH_MAX) return;
    memmove(path + length, slash, rest);
    memcpy(path, folder, length);
    path[length + rest] = 0;
}

static bool named_path(pid_t tid, int folder, uint64_t address, char path[PATH_MAX]) {
    char text[PATH_MAX];
    if (!tracee_read_text(tid, address, text)) return false;
    path[0] = 0;
    if (text[0] != '/' && !tracee_descriptor(tid, folder, path)) return false;
    if (!text[0]) return path[0] == '/'; /* AT_EMPTY_PATH: the descriptor itself */
    size_t length = strlen(path);
    if (length + 1 + strlen(text) >= PATH_MAX) return false;
    snprintf(path + length, PATH_MAX - length, "%s%s", length ? "/" : "", text);
    if (path[0] != '/') return false;
    follow_folder(path);
    return true;
}

static bool find_path(pid_t tid, way how, const uint64_t *argument, char path[PATH_MAX]) {
    switch (how) {
    case DESCRIPTOR: return tracee_descriptor(tid, (int)*argument, path) && path[0] == '/';
    case PATH: return named_path(tid, AT_FDCWD, *argument, path);
    case FOLDER: return named_path(tid, (int)argument[0], argument[1], path);
    default: return false;
    }
}

/* Leaves what comes after the folder in path; false if the path is not below it. */
static bool relative_to(const char *folder, char path[PATH_MAX]) {
    size_t length = strlen(folder);
    if (strncmp(path, folder, length) != 0) return false;
    if (!path[length]) {
        memcpy(path, ".", 2);
        return true;
    }
    if (path[length] != '/') return false;
    memmove(path, path + length + 1, strlen(path + length));
    return true;
}

/* ---- which call ---- */

/* The name by which fcntl or flock is counted; NULL for fcntl's other commands. */
static const char *fcntl_name(pid_t tid, uint64_t number, const uint64_t arguments[6]) {
    if (number == SYS_flock) return arguments[1] & LOCK_UN ? "unlock" : "lock";
    struct flock lock;
    switch ((int)arguments[1]) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC: return "dup";
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        if (!tracee_read(tid, arguments[2], &lock, sizeof lock)) return NULL;
        return lock.l_type == F_UNLCK ? "unlock" : "lock";
    default: return NULL;
    }
}

static const char *exact_name(const kind *entry, pid_t tid, const uint64_t arguments[6]) {
    switch (entry->number) {
    case SYS_fcntl:
    case SYS_flock: return fcntl_name(tid, (uint64_t)entry->number, arguments);
    case SYS_unlinkat: return arguments[2] & AT_REMOVEDIR ? "rmdir" : entry->name;
    default: return entry->name;
    }
}

bool calls_concern(const char *folder, pid_t tid, uint64_t number, const uint64_t arguments[6],
                   call *found) {
    const kind *entry = kinds;
    while (entry < kinds + KINDS && (uint64_t)entry->number != number) entry++;
    if (entry == kinds + KINDS) return false;
    found->name = exact_name(entry, tid, arguments);
    found->length = entry->length;
    found->pieces = entry->pieces;
    if (!found->name) return false;
    const uint64_t *file = arguments + entry->file.argument;
    const uint64_t *target = arguments + entry->target.argument;
    return (find_path(tid, entry->target.how, target, found->path) &&
            relative_to(folder, found->path)) ||
           (find_path(tid, entry->file.how, file, found->path) && relative_to(folder, found->path));
}

/* Calls of the C library that fail when they are told to, or are written down: loaded before it (LD_PRELOAD).

   Only calls count that touch what lies below one folder. `fail_arm` says which call fails, with which errno, and whether all
   after it do; `fail_chance` has each fail with a probability. A write that fails for want of room has written its first half.
   `fail_log` has every call written down, one line each: "call<TAB>path", in the order in which they end. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { OPENS = 1, WRITES = 2, SYNCS = 4, NAMES = 8, READS = 16, LOOKS = 32, REMOVES = 64 };

static char folder[4096], first_call[64], first_path[4096];
static size_t length;
static int kinds, number, is_lasting, log_to = -1;
static long at;
static double chance;
static unsigned long long state;
static atomic_long seen, failed;
static long jumps_at, jumps_by;

static int is_below(const char *path) {
    if (!length || !path) return 0;
    if (path[0] == '/') return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
    char here[4096];
    return getcwd(here, sizeof here) && !strncmp(here, folder, length);
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, 4095);
    path[n > 0 ? n : 0] = 0;
    return n > 0 && path[0] == '/' && is_below(path); /* a pipe has no place */
}

static void note(const char *call, const char *path) {
    static ssize_t (*real)(int, const void *, size_t);
    if (log_to < 0) return;
    if (!real) real = dlsym(RTLD_NEXT, "write");
    char line[8300];
    int n = snprintf(line, sizeof line, "%s\t%s\n", call, path);
    real(log_to, line, n);
}

static double drawn(void) { /* xorshift64* */
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return (double)((state * 2685821657736338717ULL) >> 11) / (double)(1ULL << 53);
}

/* Whether this call fails; errno is set then. */
static int fails(int kind, const char *call, const char *path) {
    if (!(kind & kinds)) return 0;
    long n = atomic_fetch_add(&seen, 1) + 1;
    int is_hit = chance > 0 ? drawn() < chance : at && (n == at || (is_lasting && n > at));
    if (!is_hit) return 0;
    if (atomic_fetch_add(&failed, 1) == 0) {
        snprintf(first_call, sizeof first_call, "%s", call);
        snprintf(first_path, sizeof first_path, "%s", path);
    }
    errno = number;
    return 1;
}

void fail_arm(const char *below, int of_kinds, long call, int error, int lasting) {
    snprintf(folder, sizeof folder, "%s", below);
    length = strlen(folder), kinds = of_kinds, at = call, number = error, is_lasting = lasting, chance = 0;
    atomic_store(&seen, 0);
    atomic_store(&failed, 0);
}
void fail_chance(const char *below, int of_kinds, double p, unsigned long long seed, int error) {
    fail_arm(below, of_kinds, 0, error, 0);
    chance = p, state = seed * 0x9E3779B97F4A7C15ULL + 1;
}
void fail_log(const char *below, int fd) { fail_arm(below, 0, 0, 0, 0), log_to = fd; }
/* The clock of the day goes wrong by so many seconds after so many calls. */
void fail_clock(const char *below, long call, long by) {
    fail_arm(below, WRITES | SYNCS, 0, 0, 0);
    jumps_at = call, jumps_by = by;
}
void fail_end(void) { length = 0, kinds = 0, log_to = -1; }
long fail_seen(void) { return seen; }
long fail_failed(void) { return failed; }
const char *fail_call(void) { return first_call; }
const char *fail_path(void) { return first_path; }

#define REAL(name, type, ...)                                  \
    static type (*real)(__VA_ARGS__);                          \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

/* ------------------------------------------------------------------------------------------------------- opened */

static int opened(int writes, const char *path, int fd) {
    if (fd >= 0 && writes && log_to >= 0 && is_below(path)) note("open", path);
    return fd;
}
#define WRITING(flags) (((flags) & O_ACCMODE) != O_RDONLY || ((flags) & O_CREAT))
#define MODE(flags)                                             \
    mode_t mode = 0;                                            \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                      \
        va_list more;                                           \
        va_start(more, flags), mode = va_arg(more, mode_t), va_end(more); \
    }
#define OPEN(name)                                                                          \
    int name(const char *path, int flags, ...) {                                            \
        REAL(#name, int, const char *, int, ...);                                           \
        MODE(flags)                                                                         \
        if (is_below(path) && fails(WRITING(flags) ? OPENS : LOOKS, "open", path)) return -1; \
        return opened(WRITING(flags), path, real(path, flags, mode));                       \
    }
OPEN(open)
OPEN(open64)
#define OPENAT(name)                                                                        \
    int name(int at_fd, const char *path, int flags, ...) {                                 \
        REAL(#name, int, int, const char *, int, ...);                                      \
        MODE(flags)                                                                         \
        if (is_below(path) && fails(WRITING(flags) ? OPENS : LOOKS, "open", path)) return -1; \
        return opened(WRITING(flags), path, real(at_fd, path, flags, mode));                \
    }
OPENAT(openat)
OPENAT(openat64)
#define FOPEN(name)                                                                         \
    FILE *name(const char *path, const char *how) {                                         \
        REAL(#name, FILE *, const char *, const char *);                                    \
        int writes = how[0] != 'r' || strchr(how, '+');                                     \
        if (is_below(path) && fails(writes ? OPENS : LOOKS, "open", path)) return NULL;     \
        FILE *file = real(path, how);                                                       \
        if (file && writes && is_below(path)) note("open", path);                           \
        return file;                                                                        \
    }
FOPEN(fopen)
FOPEN(fopen64)

/* -------------------------------------------------------------------------------------------------- read, written */

#define ON_FD(kind, call, half)                                        \
    char path[4096];                                                   \
    if (length && path_of(fd, path)) {                                 \
        if (fails(kind, call, path)) {                                 \
            int error = errno;                                         \
            half;                                                      \
            errno = error;                                             \
            return -1;                                                 \
        }                                                              \
        if (kind != READS) note(call, path);                           \
    }
#define ROOM (number == ENOSPC && n > 1)

ssize_t write(int fd, const void *data, size_t n) {
    REAL("write", ssize_t, int, const void *, size_t);
    if (fd != log_to) {
        ON_FD(WRITES, "write", if (ROOM) { ssize_t did = real(fd, data, n / 2); (void)did; })
    }
    return real(fd, data, n);
}
#define PWRITE(name, offset_type)                                                                                \
    ssize_t name(int fd, const void *data, size_t n, offset_type from) {                                         \
        REAL(#name, ssize_t, int, const void *, size_t, offset_type);                                            \
        ON_FD(WRITES, "write", if (ROOM) { ssize_t did = real(fd, data, n / 2, from); (void)did; })              \
        return real(fd, data, n, from);                                                                          \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)
ssize_t writev(int fd, const struct iovec *parts, int n) {
    REAL("writev", ssize_t, int, const struct iovec *, int);
    ON_FD(WRITES, "write", )
    return real(fd, parts, n);
}
#define SENDFILE(name, offset_type)                                                \
    ssize_t name(int fd, int from, offset_type *offset, size_t n) {                \
        REAL(#name, ssize_t, int, int, offset_type *, size_t);                     \
        ON_FD(WRITES, "write", if (ROOM) { ssize_t did = real(fd, from, offset, n > 4096 ? 4096 : n / 2); (void)did; }) \
        return real(fd, from, offset, n);                                          \
    }
SENDFILE(sendfile, off_t)
SENDFILE(sendfile64, off64_t)
ssize_t read(int fd, void *data, size_t n) {
    REAL("read", ssize_t, int, void *, size_t);
    ON_FD(READS, "read", )
    return real(fd, data, n);
}
#define PREAD(name, offset_type)                                      \
    ssize_t name(int fd, void *data, size_t n, offset_type from) {    \
        REAL(#name, ssize_t, int, void *, size_t, offset_type);       \
        ON_FD(READS, "read", )                                        \
        return real(fd, data, n, from);                               \
    }
PREAD(pread, off_t)
PREAD(pread64, off64_t)
#define ON_WHOLE(name, kind, call)        \
    int name(int fd) {                    \
        REAL(#name, int, int);            \
        ON_FD(kind, call, )               \
        return real(fd);                  \
    }
ON_WHOLE(fsync, SYNCS, "fsync")
ON_WHOLE(fdatasync, SYNCS, "fsync")
#define TRUNCATE(name, offset_type)                  \
    int name(int fd, offset_type size) {             \
        REAL(#name, int, int, offset_type);          \
        ON_FD(WRITES, "truncate", )                  \
        return real(fd, size);                       \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

/* --------------------------------------------------------------------------------------------------------- clock */

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL("clock_gettime", int, clockid_t, struct timespec *);
    int done = real(clock, now);
    if (clock == CLOCK_REALTIME && jumps_at && atomic_load(&seen) >= jumps_at) now->tv_sec += jumps_by;
    return done;
}

/* --------------------------------------------------------------------------------------------------------- names */

static int moved(const char *call, const char *a, const char *b, int done) {
    char both[8200];
    if (!done && log_to >= 0 && is_below(b)) {
        snprintf(both, sizeof both, "%.4090s\t%.4090s", a, b);
        note(call, both);
    }
    return done;
}
int rename(const char *a, const char *b) {
    REAL("rename", int, const char *, const char *);
    if (is_below(b) && fails(NAMES, "rename", b)) return -1;
    return moved("rename", a, b, real(a, b));
}
int renameat(int fd, const char *a, int other, const char *b) {
    REAL("renameat", int, int, const char *, int, const char *);
    if (is_below(b) && fails(NAMES, "rename", b)) return -1;
    return moved("rename", a, b, real(fd, a, other, b));
}
int link(const char *a, const char *b) {
    REAL("link", int, const char *, const char *);
    if (is_below(b) && fails(NAMES, "link", b)) return -1;
    return moved("link", a, b, real(a, b));
}
int linkat(int fd, const char *a, int other, const char *b, int flags) {
    REAL("linkat", int, int, const char *, int, const char *, int);
    if (is_below(b) && fails(NAMES, "link", b)) return -1;
    return moved("link", a, b, real(fd, a, other, b, flags));
}
#define ON_NAME(name, call)                                            \
    int name(const char *path) {                                       \
        REAL(#name, int, const char *);                                \
        if (is_below(path) && fails(REMOVES, call, path)) return -1;   \
        int done = real(path);                                         \
        if (!done && is_below(path)) note(call, path);                 \
        return done;                                                   \
    }
ON_NAME(unlink, "unlink")
ON_NAME(rmdir, "rmdir")
int mkdir(const char *path, mode_t mode) {
    REAL("mkdir", int, const char *, mode_t);
    if (is_below(path) && fails(NAMES, "mkdir", path)) return -1;
    int done = real(path, mode);
    if (!done && is_below(path)) note("mkdir", path);
    return done;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library for LD_PRELOAD that makes one call fail: the FAULT_AT-th of the functions named by
 * FAULT_CALL, counted over a program and all its children in the file FAULT_COUNT; and that counts
 * them when FAULT_AT is 0. With FAULT_CALL=kill the FAULT_AT-th call of any of them but the
 * allocations ends the process instead. FAULT_ONLY names the one program that counts. Built and
 * used by tests/engine/faults.sh and tests/crash/freezes.sh.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *piece, size_t bytes);

static volatile uint64_t *calls; /* shared by all processes; NULL: off */
static uint64_t fails_at;
static char chosen[16];

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("FAULT_CALL"), *at = getenv("FAULT_AT"),
               *file = getenv("FAULT_COUNT"), *only = getenv("FAULT_ONLY");
    void *memory;
    int fd;

    if (only != NULL && strcmp(only, program_invocation_short_name) != 0) {
        return;
    }
    if (name == NULL || at == NULL || file == NULL || (fd = open(file, O_RDWR | O_CLOEXEC)) < 0) {
        return;
    }
    memory = mmap(NULL, sizeof(*calls), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    snprintf(chosen, sizeof(chosen), "%s", name);
    fails_at = strtoull(at, NULL, 10);
    calls = memory == MAP_FAILED ? NULL : memory;
}

static bool fails(const char *name)
{
    bool kills = strcmp(chosen, "kill") == 0 && strcmp(name, "malloc") != 0;

    if (calls == NULL || (!kills && strcmp(chosen, name) != 0) ||
        __atomic_add_fetch(calls, 1, __ATOMIC_SEQ_CST) != fails_at) {
        return false;
    }
    if (kills) {
        kill(getpid(), SIGKILL);
    }
    return true;
}

void *malloc(size_t bytes)
{
    return fails("malloc") ? (errno = ENOMEM, NULL) : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    return fails("malloc") ? (errno = ENOMEM, NULL) : __libc_calloc(count, bytes);
}

void *realloc(void *piece, size_t bytes)
{
    return fails("malloc") ? (errno = ENOMEM, NULL) : __libc_realloc(piece, bytes);
}

/* Calls the next definition of `name_` unless it is to fail. */
#define FORWARD(result_, name_, error_, parameters_, arguments_)                                   \
    result_ name_ parameters_;                                                                     \
    result_ name_ parameters_                                                                      \
    {                                                                                              \
        static result_(*next) parameters_;                                                         \
                                                                                                   \
        if (fails(#name_)) {                                                                       \
            errno = (error_);                                                                      \
            return -1;                                                                             \
        }                                                                                          \
        if (next == NULL) {                                                                        \
            next = (result_(*) parameters_)dlsym(RTLD_NEXT, #name_);                               \
        }                                                                                          \
        return next arguments_;                                                                    \
    }

FORWARD(ssize_t, read, EIO, (int fd, void *to, size_t bytes), (fd, to, bytes))
FORWARD(ssize_t, pread, EIO, (int fd, void *to, size_t bytes, off_t at), (fd, to, bytes, at))
FORWARD(ssize_t, write, ENOSPC, (int fd, const void *from, size_t bytes), (fd, from, bytes))
FORWARD(int, fsync, EIO, (int fd), (fd))
FORWARD(int, rename, EIO, (const char *from, const char *to), (from, to))
FORWARD(int, renameat, EIO, (int a, const char *from, int b, const char *to), (a, from, b, to))
FORWARD(int, mkdirat, ENOSPC, (int fd, const char *name, mode_t mode), (fd, name, mode))
FORWARD(int, unlinkat, EIO, (int fd, const char *name, int flags), (fd, name, flags))
FORWARD(int, fstat, EIO, (int fd, struct stat *status), (fd, status))
FORWARD(int, flock, ENOLCK, (int fd, int operation), (fd, operation))
FORWARD(int, dup2, EMFILE, (int from, int to), (from, to))
FORWARD(int, pipe2, EMFILE, (int *ends, int flags), (ends, flags))
FORWARD(pid_t, fork, EAGAIN, (void), ())
FORWARD(int, execv, ENOENT, (const char *path, char *const *arguments), (path, arguments))

int openat(int folder, const char *name, int flags, ...)
{
    static int (*next)(int, const char *, int, ...);
    va_list rest;
    mode_t mode;

    va_start(rest, flags);
    mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (fails("openat")) {
        errno = EMFILE;
        return -1;
    }
    if (next == NULL) {
        next = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, "openat");
    }
    return next(folder, name, flags, mode);
}

int open(const char *name, int flags, ...)
{
    static int (*next)(const char *, int, ...);
    va_list rest;
    mode_t mode;

    va_start(rest, flags);
    mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (fails("open")) {
        errno = EMFILE;
        return -1;
    }
    if (next == NULL) {
        next = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    }
    return next(name, flags, mode);
}

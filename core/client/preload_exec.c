/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec() and its kin, as the preload library offers them to the program: the page gets a mark
 * first, so that the monitor does not take the end of what follows for the program's, and what the
 * process becomes gets Cairn, too. [app]: also
 * called from signal handlers and from children of vfork(), which share the memory and are somebody
 * else: everything here is async-signal-safe.
 */
#include "core/client/preload.h"

#include "core/client/client.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* Arguments of execl() and its kin that need no memory of their own. */
#define FEW 64

typedef int search_fn(const char *, char *const *, char *const *);

/* libc's execvpe(). Found early: a fork child may find the dynamic linker's lock taken. */
static search_fn *search_next;

void preload_exec_start(void)
{
    void *symbol = dlsym(RTLD_NEXT, "execvpe");

    memcpy(&search_next, &symbol, sizeof(search_next));
}

/* Back here only when the program stays what it is. */
static int come_back(const struct preload_carried *carried)
{
    int number = errno;

    client_mark_end(0);
    preload_drop_carried(carried);
    errno = number;
    return -1;
}

EXPORT int execve(const char *path, char *const *arguments, char *const *environment)
{
    struct preload_carried carried;
    char *const *with = preload_carry_environment(environment, &carried);

    client_mark_end(PAGE_BECOMES);
    syscall(SYS_execve, path, arguments, with);
    if (errno == E2BIG && with != environment) {
        syscall(SYS_execve, path, arguments, environment);
    }
    return come_back(&carried);
}

EXPORT int execv(const char *path, char *const *arguments)
{
    return execve(path, arguments, environ);
}

EXPORT int execveat(int folder, const char *path, char *const *arguments, char *const *environment,
                    int flags)
{
    struct preload_carried carried;
    char *const *with = preload_carry_environment(environment, &carried);

    client_mark_end(PAGE_BECOMES);
    syscall(SYS_execveat, folder, path, arguments, with, flags);
    if (errno == E2BIG && with != environment) {
        syscall(SYS_execveat, folder, path, arguments, environment, flags);
    }
    return come_back(&carried);
}

EXPORT int fexecve(int file, char *const *arguments, char *const *environment)
{
    return execveat(file, "", arguments, environment, AT_EMPTY_PATH);
}

EXPORT int execvpe(const char *file, char *const *arguments, char *const *environment)
{
    struct preload_carried carried;
    char *const *with;

    if (search_next == NULL) {
        errno = ENOSYS;
        return -1;
    }
    with = preload_carry_environment(environment, &carried);
    client_mark_end(PAGE_BECOMES);
    search_next(file, arguments, with);
    if (errno == E2BIG && with != environment) {
        search_next(file, arguments, environment);
    }
    return come_back(&carried);
}

EXPORT int execvp(const char *file, char *const *arguments)
{
    return execvpe(file, arguments, environ);
}

/* ---- with the arguments one by one ---- */

struct arguments {
    char *few[FEW];
    char **items; /* ended by NULL */
    size_t count; /* with the NULL */
};

/* Takes the list up to its NULL; false without memory. */
static int gather(struct arguments *arguments, const char *first, va_list *list)
{
    va_list again;
    const char *item = first;

    va_copy(again, *list);
    for (arguments->count = 1; item != NULL; arguments->count++) {
        item = va_arg(again, const char *);
    }
    va_end(again);
    arguments->items = arguments->few;
    if (arguments->count > FEW) {
        arguments->items = mmap(NULL, arguments->count * sizeof(char *), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (arguments->items == MAP_FAILED) {
            return 0;
        }
    }
    arguments->items[0] = (char *)(uintptr_t)first;
    for (size_t i = 1; i < arguments->count; i++) {
        arguments->items[i] = va_arg(*list, char *);
    }
    return 1;
}

/* What one of the functions above makes of the list; `closed`: the environment follows it. */
static int run_list(search_fn *run, const char *path, const char *first, va_list *list, int closed)
{
    struct arguments arguments;
    int number;

    if (!gather(&arguments, first, list)) {
        return -1;
    }
    run(path, arguments.items, closed ? va_arg(*list, char *const *) : environ);
    number = errno;
    if (arguments.items != arguments.few) {
        munmap(arguments.items, arguments.count * sizeof(char *));
    }
    errno = number;
    return -1;
}

#define RUN_LIST(run, path, first, closed)                                                         \
    do {                                                                                           \
        va_list list_;                                                                             \
        va_start(list_, first);                                                                    \
        run_list((run), (path), (first), &list_, (closed));                                        \
        va_end(list_);                                                                             \
        return -1;                                                                                 \
    } while (0)

EXPORT int execl(const char *path, const char *first, ...)
{
    RUN_LIST(execve, path, first, 0);
}

EXPORT int execlp(const char *file, const char *first, ...)
{
    RUN_LIST(execvpe, file, first, 0);
}

EXPORT int execle(const char *path, const char *first, ...)
{
    RUN_LIST(execve, path, first, 1);
}

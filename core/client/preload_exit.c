/* SPDX-License-Identifier: Apache-2.0 */
/*
 * _exit() and its kin, as the preload library offers them to the program: a handler of its own that
 * ends the process without destructors is how a crash ended, and a kernel that does not tell how a
 * process ended must not make a death of it. exit() is seen without this. [app]:
 * async-signal-safe; a child of vfork() is left alone.
 */
#include "core/client/preload.h"

#include "core/client/client.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT void _exit(int status)
{
    crash_on_exit();
    client_mark_end(PAGE_EXITED | PAGE_EXITED_AT_ONCE | ((uint32_t)status & PAGE_EXIT_STATUS));
    for (;;) {
        syscall(SYS_exit_group, status);
    }
}

EXPORT void _Exit(int status)
{
    _exit(status);
}

EXPORT void quick_exit(int status)
{
    void (*next)(int) = NULL;
    void *symbol = dlsym(RTLD_NEXT, "quick_exit");

    crash_on_exit();
    client_mark_end(PAGE_EXITED | ((uint32_t)status & PAGE_EXIT_STATUS));
    memcpy(&next, &symbol, sizeof(next));
    if (next != NULL) {
        next(status);
    }
    _exit(status);
}

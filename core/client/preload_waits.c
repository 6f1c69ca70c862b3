/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masks that are in force only during a wait, as the preload library offers them to the program: a
 * handler that runs meanwhile has the wait's mask, and a fault in it whose signal is blocked ends
 * the process at once. So our signals stay open there too; see preload_masks.c. [app]:
 * async-signal-safe, and cancellation points as libc's own are.
 */
#include "core/client/preload.h"

#include <dlfcn.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

#define EXPORT __attribute__((visibility("default")))

/* libc's own, found at the start: dlsym() must not be called in a signal handler. */
static struct {
    int (*sigsuspend)(const sigset_t *);
    int (*ppoll)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
    int (*pselect)(int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *);
    int (*epoll_pwait)(int, struct epoll_event *, int, int, const sigset_t *);
} next;

/* The kernel gets `mask`, or NULL if the program changes nothing. */
struct wait {
    sigset_t open;
    const sigset_t *mask;
    uint64_t believed;
};

void preload_waits_start(void)
{
    static const char names[][12] = { "sigsuspend", "ppoll", "pselect", "epoll_pwait" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        void *symbol = dlsym(RTLD_NEXT, names[i]);

        memcpy((char *)&next + i * sizeof(symbol), &symbol, sizeof(symbol));
    }
}

static void begin(struct wait *wait, const sigset_t *mask)
{
    wait->mask = mask;
    if (mask != NULL) {
        wait->open = *mask;
        wait->mask = &wait->open;
        wait->believed = preload_mask_wait(&wait->open);
    }
}

/* errno is the wait's. */
static int end(const struct wait *wait, int result)
{
    if (wait->mask != NULL) {
        preload_mask_waited(wait->believed);
    }
    return result;
}

EXPORT int sigsuspend(const sigset_t *mask)
{
    struct wait wait;

    begin(&wait, mask);
    return end(&wait, next.sigsuspend(wait.mask));
}

EXPORT int ppoll(struct pollfd *entries, nfds_t count, const struct timespec *timeout,
                 const sigset_t *mask)
{
    struct wait wait;

    begin(&wait, mask);
    return end(&wait, next.ppoll(entries, count, timeout, wait.mask));
}

EXPORT int pselect(int count, fd_set *readable, fd_set *writable, fd_set *exceptional,
                   const struct timespec *timeout, const sigset_t *mask)
{
    struct wait wait;

    begin(&wait, mask);
    return end(&wait, next.pselect(count, readable, writable, exceptional, timeout, wait.mask));
}

EXPORT int epoll_pwait(int epoll, struct epoll_event *events, int count, int timeout,
                       const sigset_t *mask)
{
    struct wait wait;

    begin(&wait, mask);
    return end(&wait, next.epoll_pwait(epoll, events, count, timeout, wait.mask));
}

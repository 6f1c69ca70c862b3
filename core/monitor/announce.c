/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parked thread. It sleeps in the futex until the program counts `announce` up, and never wakes
 * up otherwise; its stack is the smallest there is. Runs in the monitor, until the process ends.
 */
#include "core/monitor/announce.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

void announce_wake(const struct announce *announce)
{
    const uint64_t one = 1;

    /* EAGAIN: the counter is full, and then it is readable. */
    while (write(announce->fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

/* Sleeps without a deadline between crashes, and nobody waits for this thread. */
_Noreturn static void *park(void *argument)
{
    const struct announce *announce = argument;
    uint32_t *word = &announce->page->announce;

    pthread_setname_np(pthread_self(), "cairn-announce");
    for (;;) {
        uint32_t seen = __atomic_load_n(word, __ATOMIC_ACQUIRE);
        announce_wake(announce);
        syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
    }
}

static int start_thread(struct announce *announce)
{
    pthread_attr_t attributes;
    pthread_t thread;

    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return -error;
    }
    pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    error = pthread_create(&thread, &attributes, park, announce);
    pthread_attr_destroy(&attributes);
    return -error;
}

int announce_start(struct announce *announce, struct page *page)
{
    announce->page = page;
    announce->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (announce->fd < 0) {
        return -errno;
    }
    int result = start_thread(announce);
    if (result != 0) {
        close(announce->fd);
        announce->fd = -1;
    }
    return result;
}

void announce_take(const struct announce *announce)
{
    uint64_t count;

    /* EAGAIN: a wake-up of the futex without news. */
    while (read(announce->fd, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
}

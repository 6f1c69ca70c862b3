/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pthread_create(), as the preload library offers it to the program: every thread gets an alternate
 * signal stack, so that it can report even when its own one overflowed, and its signal mask is taken
 * over. [app]: runs in the creating thread, at the new thread's start and at its end.
 */
#include "core/client/preload.h"

#include "core/client/client.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

struct start {
    void *(*routine)(void *);
    void *argument;
    uint64_t mask; /* what the creating thread believes to block */
};

static pthread_key_t last_round;
static int has_key;

/* The stack stays until the program's own destructors have run: libc calls them in rounds as long
 * as any value is left, a fixed number of times. */
static void end_thread(void *round)
{
    uintptr_t number = (uintptr_t)round;

    if (number >= PTHREAD_DESTRUCTOR_ITERATIONS ||
        pthread_setspecific(last_round, (void *)(number + 1)) != 0) {
        cairn_thread_stop();
    }
}

void preload_threads_start(void)
{
    has_key = pthread_key_create(&last_round, end_thread) == 0;
}

/* Without the key the stack would leak, without the stack only an overflow is lost. */
static void *run(void *argument)
{
    struct start start = *(struct start *)argument;

    free(argument);
    preload_mask_start(start.mask);
    if (pthread_setspecific(last_round, (void *)1) == 0) {
        cairn_thread_start();
    }
    return start.routine(start.argument);
}

/* What is behind us. Not at our start, because a program may load the library of threads later. */
static create_fn *find_next(void)
{
    static create_fn *next;
    create_fn *found = __atomic_load_n(&next, __ATOMIC_ACQUIRE);

    if (found == NULL) {
        void *symbol = dlsym(RTLD_NEXT, "pthread_create");

        memcpy(&found, &symbol, sizeof(found));
        __atomic_store_n(&next, found, __ATOMIC_RELEASE);
    }
    return found;
}

__attribute__((visibility("default"))) int pthread_create(pthread_t *thread,
                                                           const pthread_attr_t *attributes,
                                                           void *(*routine)(void *), void *argument)
{
    create_fn *next = find_next();
    struct start *start = NULL;
    int result;

    if (next == NULL) {
        return ENOSYS;
    }
    if (has_key && __atomic_load_n(&crash_state.installed, __ATOMIC_ACQUIRE) != 0) {
        start = malloc(sizeof(*start));
    }
    if (start == NULL) {
        return next(thread, attributes, routine, argument);
    }
    *start = (struct start){ routine, argument, preload_mask_inherit() };
    result = next(thread, attributes, run, start);
    if (result != 0) {
        free(start);
    }
    return result;
}

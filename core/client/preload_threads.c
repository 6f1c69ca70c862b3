/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pthread_create() and thrd_create(), as the preload library offers them to the program: every
 * thread gets an alternate signal stack, so that it can report even when its own one overflowed,
 * and its signal mask is taken over. [app]: runs in the creating thread, at the new thread's start
 * and at its end.
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
#include <threads.h>

#define EXPORT __attribute__((visibility("default")))

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef int create_c11_fn(thrd_t *, thrd_start_t, void *);

struct start {
    void *(*routine)(void *); /* or NULL, and this one of C11 */
    thrd_start_t routine_c11;
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
static struct start begin(void *argument)
{
    struct start start = *(struct start *)argument;

    free(argument);
    preload_mask_start(start.mask);
    if (pthread_setspecific(last_round, (void *)1) == 0) {
        cairn_thread_start();
    }
    return start;
}

static void *run(void *argument)
{
    struct start start = begin(argument);

    return start.routine(start.argument);
}

static int run_c11(void *argument)
{
    struct start start = begin(argument);

    return start.routine_c11(start.argument);
}

/* What is behind us. Not at our start, because a program may load the library of threads later. */
static void *find_next(void **next, const char *name)
{
    void *found = __atomic_load_n(next, __ATOMIC_ACQUIRE);

    if (found == NULL) {
        found = dlsym(RTLD_NEXT, name);
        __atomic_store_n(next, found, __ATOMIC_RELEASE);
    }
    return found;
}

/* What the new thread is to begin with; NULL: with nothing of ours. */
static struct start *make_start(void *argument)
{
    struct start *start = NULL;

    if (has_key && __atomic_load_n(&crash_state.installed, __ATOMIC_ACQUIRE) != 0) {
        start = malloc(sizeof(*start));
    }
    if (start != NULL) {
        *start = (struct start){ NULL, NULL, argument, preload_mask_inherit() };
    }
    return start;
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*routine)(void *), void *argument)
{
    static void *symbol;
    void *found = find_next(&symbol, "pthread_create");
    struct start *start;
    create_fn *next;
    int result;

    if (found == NULL) {
        return ENOSYS;
    }
    memcpy(&next, &found, sizeof(next));
    start = make_start(argument);
    if (start == NULL) {
        return next(thread, attributes, routine, argument);
    }
    start->routine = routine;
    result = next(thread, attributes, run, start);
    if (result != 0) {
        free(start);
    }
    return result;
}

EXPORT int thrd_create(thrd_t *thread, thrd_start_t routine, void *argument)
{
    static void *symbol;
    void *found = find_next(&symbol, "thrd_create");
    struct start *start;
    create_c11_fn *next;
    int result;

    if (found == NULL) {
        return thrd_error;
    }
    memcpy(&next, &found, sizeof(next));
    start = make_start(argument);
    if (start == NULL) {
        return next(thread, routine, argument);
    }
    start->routine_c11 = routine;
    result = next(thread, run_c11, start);
    if (result != thrd_success) {
        free(start);
    }
    return result;
}

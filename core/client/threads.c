/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a thread does before and after the program's own routine: it gets an alternate signal stack,
 * so that it can report even when its own stack overflowed, and gives it back. [app]: runs in the
 * creating thread, at the new thread's start and at its end.
 */
#include "core/client/threads.h"

#include <cairn/cairn.h>
#include <limits.h>
#include <stdlib.h>

struct start {
    void *(*routine)(void *); /* or NULL, and this one of C11 */
    thrd_start_t routine_c11;
    void *argument;
    uint64_t inherited;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
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

static void make_key(void)
{
    has_key = pthread_key_create(&last_round, end_thread) == 0;
}

int client_thread_prepare(void)
{
    return pthread_once(&once, make_key) == 0 && has_key;
}

/* Without the key the stack would leak, without the stack only an overflow is lost. */
void client_thread_enter(void)
{
    if (client_thread_prepare() && pthread_setspecific(last_round, (void *)1) == 0) {
        cairn_thread_start();
    }
}

static struct start begin(void *argument)
{
    struct start start = *(struct start *)argument;

    free(argument);
    client_thread_begin(start.inherited);
    client_thread_enter();
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

/* What the new thread is to begin with; NULL: with nothing of ours. */
static struct start *make_start(void *argument)
{
    struct start *start = NULL;

    if (client_thread_wanted() && client_thread_prepare()) {
        start = malloc(sizeof(*start));
    }
    if (start != NULL) {
        *start = (struct start){ NULL, NULL, argument, client_thread_inherit() };
    }
    return start;
}

int client_thread_create(client_create_fn *next, pthread_t *thread,
                         const pthread_attr_t *attributes, void *(*routine)(void *), void *argument)
{
    struct start *start = make_start(argument);
    int result;

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

int client_thread_create_c11(client_create_c11_fn *next, thrd_t *thread, thrd_start_t routine,
                             void *argument)
{
    struct start *start = make_start(argument);
    int result;

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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcairn-threads, which a program that embeds Cairn is linked with: all its threads get an
 * alternate signal stack, whoever makes them and whether Cairn was started by then or not, because
 * nobody can give it to them later. [app]: the constructor runs in the thread that loads the
 * library, mostly the main one.
 */
#include "core/client/threads.h"

#include <stddef.h>

/* Only where the preload library is there, too: a stack of that one is the one that the program
 * neither sees nor takes away. */
extern uint32_t cairn_threads __attribute__((weak));

/* Sanitizers prepare each thread before anything may happen in it, by the same means, and have an
 * alternate stack for it that they take back themselves, whosever it is by then. */
void __asan_init(void) __attribute__((weak));
void __hwasan_init(void) __attribute__((weak));
void __msan_init(void) __attribute__((weak));
void __tsan_init(void) __attribute__((weak));

static int is_sanitized(void)
{
    return __asan_init != NULL || __hwasan_init != NULL || __msan_init != NULL ||
           __tsan_init != NULL;
}

int client_thread_wanted(void)
{
    if (is_sanitized()) {
        return 0;
    }
    return &cairn_threads == NULL || __atomic_load_n(&cairn_threads, __ATOMIC_ACQUIRE) == 0;
}

uint64_t client_thread_inherit(void)
{
    return 0;
}

/* A program keeps its signal mask itself. */
void client_thread_begin(uint64_t inherited)
{
    (void)inherited;
}

/* cairn_start() gives a stack to its caller, who may be another thread than this one. */
__attribute__((constructor)) static void library_start(void)
{
    if (client_thread_wanted()) {
        client_thread_enter();
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the preload library adds to the start of a thread: the signal mask that the program believes
 * in is taken over. [app]: runs in the creating thread and at the new thread's start.
 */
#include "core/client/preload.h"
#include "core/client/threads.h"

uint32_t cairn_threads;

/* Our key is the first of all: whatever stack a thread has, sanitizers unmap it by theirs. */
void preload_threads_start(void)
{
    client_thread_prepare();
    __atomic_store_n(&cairn_threads, 1, __ATOMIC_RELEASE);
}

int client_thread_wanted(void)
{
    return __atomic_load_n(&cairn_threads, __ATOMIC_ACQUIRE) != 0;
}

uint64_t client_thread_inherit(void)
{
    return preload_mask_inherit();
}

void client_thread_begin(uint64_t inherited)
{
    preload_mask_start(inherited);
}

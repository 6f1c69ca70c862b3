/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children of fork(): a copy of the program's memory, but the same shared page. Tells whose memory
 * this is, begins anew what was copied half-way, and gives each child a slot of its own. Runs in
 * the crashed process and, after fork(), in the new one; imports nothing.
 */
#include "core/crash/parts.h"

/* Five seconds, in which the monitor gets through many crashes. */
#define PAUSE_NS (SYS_NANOSECONDS / 200)
#define PAUSES   1000

void crash_begin_child(int32_t pid)
{
    /* A thread that the child does not have may have been in it. */
    __atomic_store_n(&crash_state.gate, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&crash_state.users, 0, __ATOMIC_SEQ_CST);
    crash_guards_reset();
    crash_state.child = 1;
    __atomic_store_n(crash_state.here, (uint32_t)pid, __ATOMIC_RELEASE);
}

/* A child of vfork() sees its parent's word, one of fork() its own; one that was made past libc
 * finds what the kernel has wiped. */
int crash_is_here(const struct crash_signal *signal)
{
    if (__atomic_load_n(crash_state.here, __ATOMIC_ACQUIRE) == 0) {
        crash_begin_child(signal->pid);
    }
    return __atomic_load_n(crash_state.here, __ATOMIC_ACQUIRE) == (uint32_t)signal->pid;
}

/* What a dead child left behind is over: the monitor's next compare-and-swap fails. */
static int take(struct page_slot *slot, int32_t pid)
{
    int32_t owner = __atomic_load_n(&slot->owner, __ATOMIC_ACQUIRE);

    if ((owner != 0 && sys_kill(owner, 0) != -ESRCH) ||
        !__atomic_compare_exchange_n(&slot->owner, &owner, pid, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        return 0;
    }
    slot->parent = sys_getppid();
    __atomic_store_n(&slot->state, SLOT_IDLE, __ATOMIC_RELEASE);
    return 1;
}

struct page_slot *crash_take_slot(struct page *page, int32_t pid)
{
    if (!crash_state.child) {
        return &page->slots[SLOT_CRASH];
    }
    if ((page->plan.children & PAGE_CHILDREN_OF_FORK) == 0) {
        return NULL;
    }
    for (unsigned i = 0; i < PAUSES; i++) {
        for (unsigned index = SLOT_CHILD; index < SLOT_COUNT; index++) {
            if (take(&page->slots[index], pid)) {
                return &page->slots[index];
            }
        }
        sys_nanosleep(PAUSE_NS);
    }
    return NULL;
}

/* One that was abandoned stays taken until the process ends: the monitor may be at it. */
void crash_give_back_slot(struct page_slot *slot)
{
    if (crash_state.child && __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) != SLOT_ABANDONED) {
        __atomic_store_n(&slot->owner, 0, __ATOMIC_RELEASE);
    }
}

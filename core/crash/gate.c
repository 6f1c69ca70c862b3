/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One crash at a time. A word holds the thread that reports; it is claimed by one compare-and-swap.
 * Threads that crash meanwhile write themselves into the page and wait, so that the process dies of
 * the first crash. Runs in the crashed process.
 */
#include "core/crash/parts.h"

/* The word is 0, or a thread id, with this bit once its report is made. */
#define ENDING (1u << 30)

/* How long the first thread's earlier handlers and default action may take before another thread
 * that crashed goes on by itself. */
#define ENDING_NS (2 * SYS_NANOSECONDS)

struct crash_state crash_state = { .last_number = 0 };

static uint32_t load_gate(void)
{
    return __atomic_load_n(&crash_state.gate, __ATOMIC_SEQ_CST);
}

static int swap_gate(uint32_t expected, uint32_t wanted)
{
    return __atomic_compare_exchange_n(&crash_state.gate, &expected, wanted, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

struct crash_handler *crash_next_handler(uint64_t *number)
{
    struct crash_handler *next = NULL;

    for (size_t i = 0; i < CRASH_HANDLERS; i++) {
        struct crash_handler *handler = &crash_state.handlers[i];

        if (__atomic_load_n(&handler->page, __ATOMIC_SEQ_CST) != NULL &&
            handler->number < *number && (next == NULL || handler->number > next->number)) {
            next = handler;
        }
    }
    if (next != NULL) {
        *number = next->number;
    }
    return next;
}

/* Names the thread in every page, and says how long the reports of all handlers may take. */
static uint64_t park(const struct crash_signal *signal)
{
    struct crash_handler *handler;
    uint64_t number = UINT64_MAX, nanoseconds = SYS_NANOSECONDS;

    crash_begin_use();
    while ((handler = crash_next_handler(&number)) != NULL) {
        struct page *page = __atomic_load_n(&handler->page, __ATOMIC_SEQ_CST);
        uint32_t index;

        if (page == NULL) {
            continue;
        }
        /* Of a fork child none: the page is not its own. */
        index = crash_state.child ? PAGE_PARKED
                                  : __atomic_fetch_add(&page->parked_count, 1, __ATOMIC_RELAXED);
        if (index < PAGE_PARKED) {
            page->parked[index].signal = signal->number;
            __atomic_store_n(&page->parked[index].tid, signal->tid, __ATOMIC_RELEASE);
        }
        nanoseconds += ((uint64_t)page->plan.hold_ms + 2000) * 1000000;
    }
    crash_end_use();
    return nanoseconds < 60 * SYS_NANOSECONDS ? nanoseconds : 60 * SYS_NANOSECONDS;
}

/* Waits until the word is not `seen` any more. 0, or -ETIMEDOUT. */
static int wait_for_change(uint32_t seen, uint64_t nanoseconds)
{
    uint64_t end = sys_now(CLOCK_MONOTONIC) + nanoseconds;

    while (load_gate() == seen) {
        uint64_t now = sys_now(CLOCK_MONOTONIC);

        if (now >= end) {
            return -ETIMEDOUT;
        }
        sys_futex_wait(&crash_state.gate, seen, end - now);
    }
    return 0;
}

int crash_gate_is_closed_by(const struct crash_signal *signal)
{
    return load_gate() == (uint32_t)signal->tid;
}

int crash_gate_enter(const struct crash_signal *signal)
{
    uint32_t self = (uint32_t)signal->tid;
    uint64_t patience = 0;

    for (;;) {
        uint32_t seen = load_gate();

        if (seen == 0 || seen == (self | ENDING)) {
            if (swap_gate(seen, self)) {
                return 1;
            }
            continue;
        }
        if (patience == 0) {
            patience = park(signal);
        }
        if (wait_for_change(seen, seen & ENDING ? ENDING_NS : patience) == 0) {
            continue;
        }
        if (!(seen & ENDING)) {
            return 0;
        }
        if (swap_gate(seen, self)) {
            return 1;
        }
    }
}

void crash_gate_end(const struct crash_signal *signal)
{
    uint32_t self = (uint32_t)signal->tid;

    if (swap_gate(self, self | ENDING)) {
        sys_futex_wake(&crash_state.gate, PAGE_PARKED);
    }
}

void crash_gate_leave(const struct crash_signal *signal)
{
    if (swap_gate((uint32_t)signal->tid | ENDING, 0)) {
        sys_futex_wake(&crash_state.gate, PAGE_PARKED);
    }
}

int crash_is_quiet(void)
{
    uint32_t gate = load_gate();

    return (gate == 0 || (gate & ENDING) != 0) && crash_guards_are_free() &&
           __atomic_load_n(&crash_state.users, __ATOMIC_SEQ_CST) == 0;
}

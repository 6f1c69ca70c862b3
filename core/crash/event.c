/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One crash as one handler sees it: describe it in the slot, claim, announce, ask the filter, wait
 * for the monitor, do without it if need be, tell the post-dump callback. Runs in the crashed
 * thread; the waiting is also used by cairn_dump().
 */
#include "core/capture/text.h"
#include "core/crash/parts.h"

/* A dead monitor cannot wake anybody: how often to look whether it lives. */
#define LOOK_NS (SYS_NANOSECONDS / 50)

/* The plan comes from another process: a wait without end must not come of it. */
#define MOST_MS 600000u

static uint64_t clock_ns(const struct page *page, uint32_t milliseconds, uint32_t without_plan)
{
    if (__atomic_load_n(&page->start, __ATOMIC_ACQUIRE) != PAGE_READY || milliseconds == 0) {
        milliseconds = without_plan;
    }
    return (uint64_t)(milliseconds < MOST_MS ? milliseconds : MOST_MS) * 1000000;
}

uint64_t crash_now(void)
{
    return sys_now(CLOCK_MONOTONIC);
}

uint64_t crash_wanted_signals(const struct page *page)
{
    return __atomic_load_n(&page->start, __ATOMIC_ACQUIRE) == PAGE_READY ? page->plan.signals
                                                                         : CRASH_DEFAULT_SIGNALS;
}

/* The word of its robust futex tells at once, and of a zombie too; before it is set, the process
 * does. */
static int is_alive(const struct crash_handler *handler, const struct page *page)
{
    uint32_t word = __atomic_load_n(&page->monitor_life, __ATOMIC_ACQUIRE);

    if (word != 0) {
        return (word & FUTEX_OWNER_DIED) == 0;
    }
    return handler->monitor_pid == 0 || sys_kill(handler->monitor_pid, 0) != -ESRCH;
}

int crash_has_monitor(const struct crash_handler *handler, const struct page *page)
{
    return __atomic_load_n(&page->start, __ATOMIC_ACQUIRE) != PAGE_FAILED &&
           __atomic_load_n(&page->monitor_gone, __ATOMIC_ACQUIRE) == 0 && is_alive(handler, page);
}

void crash_announce(struct page *page)
{
    __atomic_fetch_add(&page->announce, 1, __ATOMIC_SEQ_CST);
    sys_futex_wake(&page->announce, 1);
}

static int swap_state(struct page_slot *slot, uint32_t expected, uint32_t wanted)
{
    return __atomic_compare_exchange_n(&slot->state, &expected, wanted, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

static int is_awaited(uint32_t state)
{
    return state == SLOT_CLAIMED || state == SLOT_TAKEN || state == SLOT_CAPTURED;
}

uint32_t crash_wait(const struct crash_handler *handler, struct page *page, struct page_slot *slot,
                    uint64_t began_ns)
{
    uint64_t claim = clock_ns(page, page->plan.claim_ms, CRASH_DEFAULT_CLAIM_MS);
    uint64_t hold = clock_ns(page, page->plan.hold_ms, CRASH_DEFAULT_HOLD_MS);

    for (;;) {
        uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
        uint64_t passed = crash_now() - began_ns;
        /* The monitor may be busy with other children. */
        uint64_t limit = state == SLOT_CLAIMED && !crash_state.child ? claim : hold;

        if (!is_awaited(state)) {
            return state;
        }
        if (passed >= limit || !crash_has_monitor(handler, page)) {
            /* Lost to the monitor: look again, it may have released us. */
            if (swap_state(slot, state, SLOT_ABANDONED)) {
                sys_futex_wake(&slot->state, 1);
                return SLOT_ABANDONED;
            }
            continue;
        }
        limit -= passed;
        sys_futex_wait(&slot->state, state, limit < LOOK_NS ? limit : LOOK_NS);
    }
}

/* Its ids are all the same and were so at the start. */
static int has_one_identity(void)
{
    uint32_t real, effective, saved, real_group, effective_group, saved_group;

    return crash_state.secure == 0 && sys_getresuid(&real, &effective, &saved) == 0 &&
           sys_getresgid(&real_group, &effective_group, &saved_group) == 0 && real == effective &&
           real == saved && real_group == effective_group && real_group == saved_group;
}

/* A process that is not dumpable refuses ptrace. It may be made so when that gives nobody a right.
 * Returns what to put back. */
static int allow_capture(const struct crash_handler *handler, const struct page *page)
{
    int monitor = handler->monitor_pid != 0 ? handler->monitor_pid : page->monitor_pid;
    int dumpable = sys_prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);

    sys_prctl(PR_SET_PTRACER, (unsigned long)monitor, 0, 0, 0);
    if (dumpable == 1 || dumpable < 0 || !has_one_identity() ||
        sys_prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0) {
        return -1;
    }
    return dumpable;
}

static void forbid_capture(int dumpable)
{
    sys_prctl(PR_SET_PTRACER, 0, 0, 0, 0);
    if (dumpable >= 0) {
        /* 2 cannot be set: 0 is the stricter one. */
        sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    }
}

/* Only this thread writes the slot, it holds the gate; the swap that follows publishes it. */
static void describe(const struct crash_handler *handler, struct page *page, struct page_slot *slot,
                     const struct crash_signal *signal)
{
    slot->tid = signal->tid;
    slot->pid = signal->pid;
    slot->signal = signal->number;
    slot->claimed_at = crash_now();
    slot->context_address = (uint64_t)(uintptr_t)signal->context;
    slot->error = 0;
    slot->success = 0;
    slot->verdict = handler->filter == NULL;
    slot->handler_low = signal->low;
    slot->handler_top = signal->top;
    slot->outcome = signal->outcome;
    slot->id[0] = '\0';
    page_path(page, slot)[0] = '\0';
    __builtin_memcpy(slot->siginfo, signal->info, sizeof(slot->siginfo));
}

/* A call that is being waited for gives way to what is new. */
static int is_recovered(struct crash_handler *handler, struct page_slot *slot)
{
    uint32_t seen = OUTCOME_CALLED;

    if (__atomic_compare_exchange_n(&slot->outcome, &seen, OUTCOME_RECOVERED, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
        crash_settle_reserve(handler, OUTCOME_RECOVERED);
        return 1;
    }
    return seen == OUTCOME_RECOVERED;
}

/* Until the monitor changes the word, or it cannot be expected to. */
static void await_monitor(const struct crash_handler *handler, const struct page *page,
                          uint32_t *word, uint32_t value, uint64_t nanoseconds)
{
    uint64_t end = crash_now() + nanoseconds;

    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value && crash_now() < end &&
           crash_has_monitor(handler, page)) {
        sys_futex_wait(word, value, LOOK_NS);
    }
}

/* `recovered`: what the slot is about, if anything. */
static int claim(const struct crash_handler *handler, struct page *page, struct page_slot *slot,
                 const struct crash_signal *signal, int recovered)
{
    uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);

    if (state != SLOT_IDLE && state != SLOT_CANCELLED) {
        if (!recovered) {
            return 0;
        }
        /* It throws away what the program has recovered from. */
        crash_announce(page);
        await_monitor(handler, page, &slot->state, state,
                      clock_ns(page, page->plan.claim_ms, CRASH_DEFAULT_CLAIM_MS));
        state = SLOT_IDLE;
    }
    describe(handler, page, slot, signal);
    if (crash_state.test_tier != CRASH_TEST_NONE || !crash_has_monitor(handler, page) ||
        !swap_state(slot, state, SLOT_CLAIMED)) {
        return 0;
    }
    crash_announce(page);
    return 1;
}

/* Whatever the monitor has come to by now, it loses its next swap. */
static void cancel(struct page_slot *slot)
{
    uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);

    while (state != SLOT_CANCELLED &&
           !__atomic_compare_exchange_n(&slot->state, &state, SLOT_CANCELLED, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
    }
    sys_futex_wake(&slot->state, 1);
}

/* The monitor may wait for what the filter says; the state says what it was. */
static void tell_verdict(struct page_slot *slot)
{
    if (__atomic_exchange_n(&slot->verdict, 1, __ATOMIC_ACQ_REL) == 0) {
        sys_futex_wake(&slot->verdict, 1);
    }
}

/* Why the monitor has not made the report. */
static void explain(const struct crash_handler *handler, const struct page *page,
                    const struct page_slot *slot, char *reason, size_t size)
{
    uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);

    if (crash_state.test_tier != CRASH_TEST_NONE) {
        capture_format(reason, size, "CAIRN_TEST_TIER asked for it.");
    } else if (state == SLOT_RELEASED && (slot->error == -EPERM || slot->error == -EACCES)) {
        capture_format(reason, size, "The monitor was not permitted to trace the process.");
    } else if (state == SLOT_RELEASED) {
        capture_format(reason, size, "The monitor could not capture the process (error %d).",
                       -slot->error);
    } else if (!crash_has_monitor(handler, page)) {
        capture_format(reason, size, "The monitor had ended.");
    } else {
        capture_format(reason, size, "The monitor did not take the crash in time.");
    }
}

/* Whether the monitor, or nobody, has made the minidump: without an id it has not. */
static int is_reported(struct crash_handler *handler, struct page *page, struct page_slot *slot,
                       uint32_t state, const struct crash_signal *signal)
{
    char reason[CRASH_REASON_BYTES];

    if (state == SLOT_RELEASED && slot->id[0] != '\0') {
        return 1;
    }
    explain(handler, page, slot, reason, sizeof(reason));
    return crash_write_reserve(handler, page, slot, signal, reason);
}

static int tell(const struct crash_handler *handler, struct page *page, struct page_slot *slot,
                int reported, const struct crash_signal *signal)
{
    struct crash_result result = { sizeof(result), 0, "", "" };
    char *path = page_path(page, slot);

    if (reported && slot->success != 0) {
        slot->id[sizeof(slot->id) - 1] = '\0';
        path[PAGE_PATH_BYTES - 1] = '\0';
        result.success = 1;
        result.id = slot->id;
        result.path = path;
    }
    return crash_tell_post_dump(handler, signal, &result);
}

static int report_in(struct page_slot *slot, struct crash_handler *handler, struct page *page,
                     const struct crash_signal *signal)
{
    uint32_t state = SLOT_IDLE;
    int dumpable, claimed, reported, recovered = is_recovered(handler, slot);

    if (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == SLOT_RELEASED && !recovered) {
        return 0; /* of what another thread dies at this moment */
    }
    dumpable = allow_capture(handler, page);
    claimed = claim(handler, page, slot, signal, recovered);
    if (!crash_ask_filter(handler, signal)) {
        if (claimed) {
            cancel(slot);
            tell_verdict(slot);
        }
        forbid_capture(dumpable);
        return 0;
    }
    if (claimed) {
        tell_verdict(slot);
        /* What the filter took is not taken from the monitor. */
        state = crash_wait(handler, page, slot, crash_now());
    }
    reported = is_reported(handler, page, slot, state, signal);
    forbid_capture(dumpable);
    return tell(handler, page, slot, reported, signal);
}

int crash_report(struct crash_handler *handler, const struct crash_signal *signal)
{
    struct page *page = __atomic_load_n(&handler->page, __ATOMIC_SEQ_CST);
    struct page_slot *slot;
    int handled;

    if (page == NULL || (crash_wanted_signals(page) & CRASH_BIT(signal->number)) == 0) {
        return 0;
    }
    slot = crash_take_slot(page, signal->pid);
    if (slot == NULL) {
        return 0;
    }
    handled = report_in(slot, handler, page, signal);
    crash_give_back_slot(slot);
    return handled;
}

/* The outcome was open, and is this one now. */
static void tell_outcome(struct crash_handler *handler, struct page *page, uint32_t outcome)
{
    crash_settle_reserve(handler, outcome);
    if (outcome < OUTCOME_DIED) {
        __atomic_store_n(&page->parked_count, 0, __ATOMIC_RELAXED);
    }
    crash_announce(page);
    if (outcome == OUTCOME_DIED && (page->client_flags & PAGE_IS_INIT) != 0) {
        /* Its end is the monitor's, too. */
        await_monitor(handler, page, &page->slots[SLOT_CRASH].outcome, OUTCOME_DIED,
                      clock_ns(page, page->plan.hold_ms, CRASH_DEFAULT_HOLD_MS));
    }
}

static int settle(struct crash_handler *handler, struct page *page,
                  const struct crash_signal *signal, uint32_t outcome)
{
    struct page_slot *slot = &page->slots[SLOT_CRASH];
    uint32_t seen = __atomic_load_n(&slot->outcome, __ATOMIC_ACQUIRE);

    slot->call_at = signal->call_at;
    slot->call_word = context_pc(signal->context);
    if (outcome == OUTCOME_CALLED && slot->id[0] == '\0') {
        outcome = OUTCOME_RECOVERED; /* there is no report that waits for the call */
    }
    if ((seen == OUTCOME_OPEN || seen == OUTCOME_CALLED) &&
        __atomic_compare_exchange_n(&slot->outcome, &seen, outcome, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
        tell_outcome(handler, page, outcome);
        return 1;
    }
    if (outcome < OUTCOME_DIED && outcome != OUTCOME_OPEN && seen >= OUTCOME_DIED) {
        /* It took so long that it has been reported; the next crash is another one. */
        swap_state(slot, SLOT_RELEASED, SLOT_IDLE);
    }
    return 0;
}

int crash_settle(const struct crash_signal *signal, uint32_t outcome)
{
    struct crash_handler *handler;
    uint64_t number = UINT64_MAX;
    int settled = 0;

    crash_begin_use();
    while ((handler = crash_next_handler(&number)) != NULL) {
        struct page *page = __atomic_load_n(&handler->page, __ATOMIC_SEQ_CST);

        if (page != NULL && page->slots[SLOT_CRASH].tid == signal->tid) {
            settled |= settle(handler, page, signal, outcome);
        }
    }
    crash_end_use();
    return settled;
}

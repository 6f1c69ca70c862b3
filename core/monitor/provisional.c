/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waits for the outcome of a crash that the program's own handler may mend, with the minidump in
 * its locked folder: should this process die, the next one finds it and makes a report. Nothing
 * here waits: it works when something is announced, when the program ends, and at some few moments
 * before the deadline, when it looks whether the thread still is in the handler. Runs in the
 * monitor.
 */
#include "core/monitor/provisional.h"

#include "core/monitor/clock.h"
#include "core/monitor/death.h"
#include "core/monitor/dump.h"
#include "core/monitor/identity.h"
#include "core/monitor/look.h"
#include "core/monitor/monitor.h"
#include "core/monitor/sync.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#define FIRST_LOOK_NS (20 * CLOCK_MILLISECOND) /* after that, twice as long each time */
#define DEADLINE_NS   (10 * CLOCK_SECOND)      /* a handler that hangs does not mend anything */

static struct page_slot *crash_slot(const struct monitor *monitor)
{
    return &monitor->page->slots[SLOT_CRASH];
}

static enum slot_outcome outcome_of(const struct page_slot *slot)
{
    return (enum slot_outcome)__atomic_load_n(&slot->outcome, __ATOMIC_ACQUIRE);
}

/* What it is afterwards: the program may have been faster. */
static enum slot_outcome decide(struct page_slot *slot, enum slot_outcome from,
                                enum slot_outcome outcome)
{
    uint32_t seen = (uint32_t)from;

    return __atomic_compare_exchange_n(&slot->outcome, &seen, (uint32_t)outcome, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
               ? outcome
               : (enum slot_outcome)seen;
}

/* As it was when the monitor began: the program may have gone on to another one by now. */
static uint64_t find_incarnation(const struct monitor *monitor)
{
    uint64_t first = identity_parse_stack(monitor->first_stat, strlen(monitor->first_stat));

    return first != 0 ? first : identity_read_stack(monitor->pid);
}

static void begin(struct monitor *monitor)
{
    const struct page_slot *slot = crash_slot(monitor);
    uint64_t now = clock_now();

    monitor->provisional = (struct provisional){
        .open = true,
        .tid = slot->tid,
        .low = slot->handler_low,
        .top = slot->handler_top,
        .incarnation = find_incarnation(monitor),
        .next_look = now + FIRST_LOOK_NS,
        .pause = FIRST_LOOK_NS,
        .deadline = now + DEADLINE_NS,
        .incoming = { .parent = -1, .folder = -1, .file = -1 },
    };
}

void provisional_begin(struct monitor *monitor, struct incoming *incoming)
{
    begin(monitor);
    monitor->provisional.written = true;
    monitor->provisional.incoming = *incoming;
    incoming->parent = incoming->folder = incoming->file = -1;
}

uint64_t provisional_deadline(const struct provisional *provisional)
{
    if (!provisional->open) {
        return CLOCK_NEVER;
    }
    return provisional->next_look < provisional->deadline ? provisional->next_look
                                                          : provisional->deadline;
}

/* The thread is where it was before, or elsewhere on its own stack: its handler has jumped out. */
static enum slot_outcome look(struct monitor *monitor)
{
    struct provisional *provisional = &monitor->provisional;
    uint64_t sp = look_at_stack_pointer(monitor->pid, provisional->tid);
    uint64_t incarnation = identity_read_stack(monitor->pid); /* whose stack pointer that was */

    provisional->pause *= 2;
    provisional->next_look = clock_now() + provisional->pause;
    if (incarnation != 0 && provisional->incarnation != 0 &&
        incarnation != provisional->incarnation) {
        return OUTCOME_DIED; /* its handler has started the program anew */
    }
    return sp == 0 || (provisional->low <= sp && sp < provisional->top) ? OUTCOME_OPEN
                                                                        : OUTCOME_RECOVERED;
}

/* The return address of what the handler made the thread call is still there, or may be: who is not
 * permitted to look does not know, and a program that is ending has no memory any more before its
 * end is seen. */
static bool is_calling(const struct monitor *monitor)
{
    const struct page_slot *slot = crash_slot(monitor);
    uint64_t word = 0;
    struct iovec here = { &word, sizeof(word) };
    struct iovec there = { (void *)(uintptr_t)slot->call_at, sizeof(word) };

    if (process_vm_readv(monitor->pid, &here, 1, &there, 1, 0) == (ssize_t)sizeof(word)) {
        return word == slot->call_word;
    }
    return errno != EFAULT;
}

/* Whether an end that no handler has seen is that of a program which could not mend its fault: not
 * if it was asked to end from outside, or left by exit() from elsewhere. */
static bool is_of_fault(const struct monitor *monitor, const struct death *death)
{
    switch (death->end.how) {
    case END_EXITED:
        return death->end.status != 0 && !death->left_by_exit;
    case END_SIGNALLED:
        return (monitor->plan.signals & 1ull << (death->end.signal - 1)) != 0;
    default:
        return !death->left_by_exit;
    }
}

/* The program was busy with the fault to its end, or parts with Cairn, or is another program now.
 */
static enum slot_outcome judge_end(const struct monitor *monitor)
{
    struct death death;
    char text[128];

    if (!end_has_come(monitor->program)) {
        return OUTCOME_RECOVERED;
    }
    death_find_out(monitor, &death);
    if (!is_of_fault(monitor, &death)) {
        return OUTCOME_RECOVERED;
    }
    if (!monitor->provisional.written) {
        return OUTCOME_DIED; /* in the reserve there is no place for it */
    }
    death_explain(&death, text, sizeof(text));
    int result = incoming_tell_end(&monitor->provisional.incoming, text);
    if (result != 0) {
        log_error(&monitor->log, "The report %s does not say how the program ended: %s.",
                  monitor->provisional.incoming.id, strerror(-result));
    }
    return OUTCOME_DIED;
}

/* Whether what the handler made the thread call has made the program go on. */
static enum slot_outcome find_call_outcome(struct monitor *monitor, bool over)
{
    struct provisional *provisional = &monitor->provisional;
    struct page_slot *slot = crash_slot(monitor);
    uint64_t now = clock_now();

    if (!over && now < provisional->next_look) {
        return OUTCOME_CALLED;
    }
    if (over) {
        return decide(slot, OUTCOME_CALLED, judge_end(monitor));
    }
    if (now >= provisional->deadline || !is_calling(monitor)) {
        return decide(slot, OUTCOME_CALLED, OUTCOME_RECOVERED);
    }
    provisional->pause *= 2;
    provisional->next_look = now + provisional->pause;
    return OUTCOME_CALLED;
}

static enum slot_outcome find_outcome(struct monitor *monitor, bool over)
{
    struct page_slot *slot = crash_slot(monitor);
    enum slot_outcome outcome = outcome_of(slot);
    uint64_t now = clock_now();

    if (outcome == OUTCOME_OPEN && (over || now >= monitor->provisional.next_look)) {
        outcome = decide(slot, OUTCOME_OPEN, look(monitor));
    }
    if (outcome == OUTCOME_OPEN && (over || now >= monitor->provisional.deadline)) {
        outcome = decide(slot, OUTCOME_OPEN, OUTCOME_DIED);
    }
    return outcome == OUTCOME_CALLED ? find_call_outcome(monitor, over) : outcome;
}

/* The report of what the program has died of. */
static void keep(struct monitor *monitor)
{
    struct incoming *incoming = &monitor->provisional.incoming;
    bool is_init = (monitor->page->client_flags & PAGE_IS_INIT) != 0;
    struct job *job = dump_report(incoming, monitor, is_init);

    if (job != NULL && is_init) {
        jobs_wait(&monitor->jobs, job, false);
    }
    sync_start(monitor, incoming);
}

static void finish(struct monitor *monitor, enum slot_outcome outcome)
{
    struct provisional *provisional = &monitor->provisional;

    provisional->open = false;
    if (outcome == OUTCOME_RECOVERED) {
        reserve_forget(&monitor->reserve);
        reserve_reopen(&monitor->reserve);
        incoming_discard(&provisional->incoming);
        incoming_close(&provisional->incoming);
        return;
    }
    reserve_complete(&monitor->reserve);
    if (provisional->written) {
        keep(monitor);
    }
    page_settle(crash_slot(monitor));
}

void provisional_work(struct monitor *monitor, bool over)
{
    struct page_slot *slot = crash_slot(monitor);
    enum slot_outcome outcome;

    if (!monitor->provisional.open && reserve_is_open(&monitor->reserve)) {
        begin(monitor);
    }
    if (monitor->provisional.open) {
        outcome = find_outcome(monitor, over);
        if (outcome == OUTCOME_OPEN || outcome == OUTCOME_CALLED) {
            return;
        }
        finish(monitor, outcome);
    }
    if (outcome_of(slot) == OUTCOME_RECOVERED) {
        page_make_idle(slot);
    }
}

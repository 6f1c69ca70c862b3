/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signal handler: enter, report to every handler, newest first, then earlier handlers, then the
 * default action. Runs in the crashed thread, on its alternate stack, every signal blocked; it
 * imports nothing, takes no lock and allocates nothing.
 */
#include "core/crash/parts.h"

/* Non-zero: a post-dump callback handled the crash. */
static int report_to_all(const struct crash_signal *signal)
{
    struct crash_handler *handler;
    uint64_t number = UINT64_MAX;

    while ((handler = crash_next_handler(&number)) != NULL) {
        if (crash_report(handler, signal)) {
            return 1;
        }
    }
    return 0;
}

/* A child of vfork(), and a thread that waited in vain: no report, but everything else as it would be.
 */
static void pass_on(const struct crash_signal *signal)
{
    if (!crash_ask_previous(signal)) {
        crash_default_action(signal);
    }
}

static void handle(const struct crash_signal *signal)
{
    int handled;

    switch (crash_gate_enter(signal)) {
    case CRASH_ENTERED:
        break;
    case CRASH_REENTERED:
        crash_default_action(signal);
        return;
    case CRASH_CHAINED:
    case CRASH_REFUSED:
        pass_on(signal);
        return;
    }
    handled = report_to_all(signal);
    crash_state.gate_frame = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    crash_gate_end(signal);
    if (handled || !crash_ask_previous(signal)) {
        crash_default_action(signal);
        return;
    }
    crash_gate_leave(signal);
}

void crash_on_signal(int number, siginfo_t *info, void *context)
{
    struct crash_signal signal = { number, info, context, sys_getpid(), sys_gettid() };

    if (crash_guard_recover(&signal) || crash_guard_is_clock(info) || crash_is_ignored(&signal) ||
        crash_put_back(&signal)) {
        return;
    }
    if (crash_is_repeated(&signal)) {
        crash_default_action(&signal);
    } else if (!crash_is_here(&signal)) {
        pass_on(&signal);
    } else {
        handle(&signal);
    }
}

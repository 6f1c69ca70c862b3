/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signal handler: enter, report to every handler, newest first, then earlier handlers, then the
 * default action. Runs in the crashed thread, on its alternate stack, every signal blocked; it
 * imports nothing, takes no lock and allocates nothing.
 */
#include "core/crash/parts.h"

#define NEAR_BYTES (1u << 20)

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

/* Installed anew by signal(), or called by a handler that does not know better, we get a number and
 * nothing else. What the kernel hands over lies not far above on the stack, as does what is handed
 * on. */
static int is_whole(int number, const siginfo_t *info, const void *context)
{
    uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);

    return (uint64_t)(uintptr_t)info - here < NEAR_BYTES &&
           (uint64_t)(uintptr_t)context - here < NEAR_BYTES && info->si_signo == number;
}

void crash_on_signal(int number, siginfo_t *info, void *context)
{
    struct crash_signal signal = { number, info, context, sys_getpid(), sys_gettid() };

    if (!is_whole(number, info, context)) {
        crash_deliver_anew(number);
        return;
    }
    if (crash_is_asked_back(&signal) || crash_guard_recover(&signal) ||
        crash_guard_is_clock(info) || crash_is_ignored(&signal) || crash_put_back(&signal) ||
        crash_is_dealt_with(&signal)) {
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signal handler's entry. Runs in the crashed thread, on its alternate stack, every signal
 * blocked; it imports nothing, takes no lock and allocates nothing.
 */
#include "core/crash/parts.h"

void crash_on_signal(int number, siginfo_t *info, void *context)
{
    struct crash_signal signal = { number, info, context, sys_getpid(), sys_gettid(), 0, 0, 0 };

    if (crash_guard_recover(&signal) || crash_guard_is_clock(info) || crash_is_ignored(&signal) ||
        crash_put_back(&signal, crash_believed_mask())) {
        return;
    }
    if (crash_is_here(&signal)) {
        crash_handle(&signal);
    } else if (crash_ask_previous(&signal, NULL) != 0) {
        /* A child of vfork(): no report, but everything else as it would be. */
        crash_default_action(&signal);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signal handler's entry. Runs in the crashed thread, on its alternate stack, every signal
 * blocked; it imports nothing, takes no lock and allocates nothing.
 */
#include "core/crash/parts.h"

#define NEAR_BYTES (1u << 20)

/* Installed anew by signal(), or called by a handler that does not know better, we get a number and
 * nothing else. What the kernel hands over lies not far above on the stack, as does what is handed
 * on. */
static int is_whole(int number, const siginfo_t *info, const void *context)
{
    uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);

    return (uint64_t)(uintptr_t)info - here < NEAR_BYTES &&
           (uint64_t)(uintptr_t)context - here < NEAR_BYTES && info->si_signo == number;
}

/* No crash, or none yet. What a thread believes is asked of sent signals only: it lies in the
 * thread's own variables, of which a crashed one may have no address any more. */
static int is_settled(const struct crash_signal *signal)
{
    return crash_is_asked_back(signal) || crash_guard_recover(signal) ||
           crash_guard_is_clock(signal->info) || crash_is_ignored(signal) ||
           (signal->info->si_code <= 0 && crash_put_back(signal, crash_believed_mask())) ||
           crash_is_dealt_with(signal);
}

void crash_on_signal(int number, siginfo_t *info, void *context)
{
    struct crash_signal signal = { number, info, context, sys_getpid(), sys_gettid(), 0, 0, 0, 0 };

    if (!is_whole(number, info, context)) {
        crash_deliver_anew(number);
    } else if (is_settled(&signal)) {
        return;
    } else if (crash_is_here(&signal)) {
        crash_handle(&signal);
    } else if (crash_ask_previous(&signal, NULL) != 0) {
        /* A child of vfork(): no report, but everything else as it would be. */
        crash_default_action(&signal);
    }
}

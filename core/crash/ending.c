/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the crash ends: the program's earlier handler is called as the kernel would have called it,
 * then the default action makes the process die of its true signal, with a true core dump. Runs in
 * the crashed thread.
 */
#include "core/crash/parts.h"

/* The instruction that faulted is the next one to run: returning to it faults again. Not so after
 * int3, a refused system call, a sent signal, a memory error that was found in passing, or a signal
 * that could not be delivered. */
int crash_faults_again(const struct crash_signal *signal)
{
    if (signal->info->si_code <= 0) {
        return 0;
    }
    switch (signal->number) {
    case SIGSEGV:
        return signal->info->si_code != SI_KERNEL || context_has_faulted(signal->context);
    case SIGFPE:
    case SIGILL:
        return 1;
    case SIGBUS:
        return signal->info->si_code != BUS_MCEERR_AO;
    default:
        return 0;
    }
}

int crash_is_ignored(const struct crash_signal *signal)
{
    struct crash_action action;

    /* abort() ends the process even so, by other means: that is a crash. */
    if (signal->info->si_code > 0 || signal->number == SIGABRT) {
        return 0;
    }
    crash_swap_previous(signal->number, NULL, &action);
    return action.handler == (uint64_t)(uintptr_t)SIG_IGN;
}

int crash_is_abort(const struct crash_signal *signal)
{
    return signal->number == SIGABRT && signal->info->si_code == SI_TKILL &&
           signal->info->si_pid == signal->pid;
}

uint64_t crash_believed_mask(void)
{
    uint64_t (*program_mask)(void) = __atomic_load_n(&crash_state.program_mask, __ATOMIC_ACQUIRE);

    return program_mask != NULL ? program_mask() : 0;
}

int crash_put_back(const struct crash_signal *signal, uint64_t blocked)
{
    long result;

    if (signal->info->si_code > 0 || crash_is_abort(signal) ||
        (blocked & CRASH_BIT(signal->number)) == 0) {
        return 0;
    }
    result = signal->info->si_code == SI_TKILL
                 ? sys_rt_tgsigqueueinfo(signal->pid, signal->tid, signal->number, signal->info)
                 : sys_call(__NR_rt_sigqueueinfo, signal->pid, signal->number, signal->info);
    if (result != 0) {
        return 0;
    }
    signal->context->uc_sigmask |= CRASH_BIT(signal->number);
    return 1;
}

/* Calls at the same time, in all threads; what is more shares a place. */
#define ASKINGS 32

/* The calls of earlier handlers that are under way. How deep one is on the stack tells it from one
 * that has jumped out. */
static struct asking {
    int32_t tid; /* atomic; 0: free */
    uint64_t context, depth;
} asking[ASKINGS] __attribute__((section(".bss.~asking")));

static struct asking *begin_asking(const struct crash_signal *signal)
{
    struct asking *place = asking;

    for (; place < asking + ASKINGS - 1; place++) {
        int32_t seen = __atomic_load_n(&place->tid, __ATOMIC_ACQUIRE);
        int is_over = seen == signal->tid ? place->depth <= (uint64_t)(uintptr_t)signal
                                          : seen == 0 || sys_kill(seen, 0) == -ESRCH;

        if (is_over && __atomic_compare_exchange_n(&place->tid, &seen, signal->tid, 0,
                                                   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            break;
        }
    }
    place->tid = signal->tid;
    place->context = (uint64_t)(uintptr_t)signal->context;
    place->depth = (uint64_t)(uintptr_t)signal;
    return place;
}

/* Of those calls, how many were made for this signal. */
static unsigned count_asked(const struct crash_signal *signal)
{
    unsigned count = 0;

    for (size_t i = 0; i < ASKINGS; i++) {
        count += __atomic_load_n(&asking[i].tid, __ATOMIC_RELAXED) == signal->tid &&
                 asking[i].context == (uint64_t)(uintptr_t)signal->context &&
                 asking[i].depth > (uint64_t)(uintptr_t)signal;
    }
    return count;
}

static void call_previous(const struct crash_signal *signal, const struct crash_action *action,
                          uint64_t *blocked)
{
    uint64_t mask = signal->context->uc_sigmask | action->mask;
    struct asking *place = begin_asking(signal);

    if ((action->flags & SA_NODEFER) == 0) {
        mask |= CRASH_BIT(signal->number);
    }
    /* Where the program's masks go through us, its handler may be seen to crash, too. */
    if (blocked != NULL && crash_state.program_mask != NULL) {
        *blocked = mask & crash_state.installed;
        mask &= ~crash_state.installed;
    }
    sys_rt_sigprocmask(SIG_SETMASK, &mask, NULL);
    if ((action->flags & SA_SIGINFO) != 0) {
        ((void (*)(int, siginfo_t *, void *))(uintptr_t)action->handler)(
            signal->number, signal->info, signal->context);
    } else {
        ((void (*)(int))(uintptr_t)action->handler)(signal->number);
    }
    mask = CRASH_ALL_SIGNALS;
    sys_rt_sigprocmask(SIG_SETMASK, &mask, NULL);
    __atomic_store_n(&place->tid, 0, __ATOMIC_RELEASE);
}

int crash_is_asked_back(const struct crash_signal *signal)
{
    const struct crash_action *action = crash_older(signal->number);
    unsigned asked = count_asked(signal);

    if (asked == 0) {
        return 0;
    }
    if (asked > 1 || action->handler == (uint64_t)(uintptr_t)SIG_DFL) {
        crash_default_action(signal); /* nobody is left who was not asked */
    } else if (action->handler != (uint64_t)(uintptr_t)SIG_IGN) {
        call_previous(signal, action, NULL);
    }
    return 1;
}

int crash_ask_previous(const struct crash_signal *signal, uint64_t *blocked)
{
    struct crash_action action;

    crash_swap_previous(signal->number, NULL, &action);
    if (action.handler == (uint64_t)(uintptr_t)SIG_DFL) {
        return -ENOENT;
    }
    if (action.handler == (uint64_t)(uintptr_t)SIG_IGN) {
        /* The kernel does not let a fault be ignored. */
        return signal->info->si_code > 0 ? -ENOENT : 0;
    }
    if ((action.flags & SA_RESETHAND) != 0) {
        struct crash_action none = { 0, 0, 0 };

        crash_swap_previous(signal->number, &none, NULL);
    }
    call_previous(signal, &action, blocked);
    return 0;
}

/* 0 when the signal is pending: it strikes as soon as the mask allows, before any instruction.
 * Without its siginfo, which a core dump has, only if it would not come otherwise. */
static int send_again(const struct crash_signal *signal, int faults)
{
    int result = sys_rt_tgsigqueueinfo(signal->pid, signal->tid, signal->number, signal->info);

    return result == 0 || faults ? result : sys_tgkill(signal->pid, signal->tid, signal->number);
}

/* A fault need not strike again: other threads run, and may have mapped the address meanwhile. So
 * it is sent, too, unless a sandbox might kill for that. In both ways the process dies on the
 * return from this signal handler, with the registers that it had: a core dump shows the crash, not
 * us. */
void crash_default_action(const struct crash_signal *signal)
{
    struct crash_action none = { 0, 0, 0 };
    int faults = crash_faults_again(signal);

    if (crash_kernel_action(signal->number, &none, NULL) == 0) {
        signal->context->uc_sigmask &= ~CRASH_BIT(signal->number);
        if (signal->pid != 1 && !(faults && crash_is_filtered()) &&
            send_again(signal, faults) == 0) {
            return;
        }
        if (faults) {
            return;
        }
    }
    /* PID 1 does not die of a signal that it was sent; a sandbox may refuse all of the above. */
    sys_exit_group(128 + signal->number);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our handler in the kernel's table, and the handlers that were there before: installed by the
 * program when it starts Cairn, read by the crash path. System calls are raw, because libc's
 * sigaction() may be somebody's replacement, our own preload library's among them.
 */
#include "core/crash/parts.h"

/* An entry is consistent when its sequence is even and the same before and after reading. */
static struct {
    uint32_t sequence;
    struct crash_action action;
} previous[CRASH_SIGNALS];

/* What was there before that. Who saved our action when he installed his own calls us back as the
 * one he follows: then it is this one's turn. */
static struct crash_action older[CRASH_SIGNALS];

static void fill_kernel(const struct crash_action *action, struct sigaction *ret_kernel)
{
    ret_kernel->sa_handler = (__sighandler_t)(uintptr_t)action->handler;
    ret_kernel->sa_flags = action->flags | SA_RESTORER;
    ret_kernel->sa_restorer = sys_restore_rt;
    ret_kernel->sa_mask = action->mask;
}

int crash_kernel_action(int signal, const struct crash_action *action, struct crash_action *ret_old)
{
    struct sigaction kernel, old;
    int result;

    if (action != NULL) {
        fill_kernel(action, &kernel);
    }
    result = sys_rt_sigaction(signal, action != NULL ? &kernel : NULL, &old);
    if (result == 0 && ret_old != NULL) {
        ret_old->handler = (uint64_t)(uintptr_t)old.sa_handler;
        ret_old->flags = old.sa_flags;
        ret_old->mask = old.sa_mask;
    }
    return result;
}

static void read_previous(int signal, struct crash_action *ret_action)
{
    for (unsigned attempt = 0;; attempt++) {
        uint32_t before = __atomic_load_n(&previous[signal].sequence, __ATOMIC_ACQUIRE);

        *ret_action = previous[signal].action;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        /* A writer that was stopped half-way by the crash never ends: take what is there. */
        if (attempt == 100000 ||
            ((before & 1) == 0 &&
             before == __atomic_load_n(&previous[signal].sequence, __ATOMIC_RELAXED))) {
            return;
        }
    }
}

/* With all signals blocked no handler can interrupt the writer and spin on what it holds. */
static void write_previous(int signal, const struct crash_action *action,
                           struct crash_action *ret_old)
{
    uint64_t all = CRASH_ALL_SIGNALS, mask = 0;
    uint32_t *sequence = &previous[signal].sequence;
    uint32_t even;

    sys_rt_sigprocmask(SIG_SETMASK, &all, &mask);
    do {
        even = __atomic_load_n(sequence, __ATOMIC_RELAXED) & ~1u;
    } while (!__atomic_compare_exchange_n(sequence, &even, even + 1, 0, __ATOMIC_ACQUIRE,
                                          __ATOMIC_RELAXED));
    __atomic_thread_fence(__ATOMIC_RELEASE);
    if (ret_old != NULL) {
        *ret_old = previous[signal].action;
    }
    previous[signal].action = *action;
    __atomic_store_n(sequence, even + 2, __ATOMIC_RELEASE);
    sys_rt_sigprocmask(SIG_SETMASK, &mask, NULL);
}

void crash_swap_previous(int signal, const struct crash_action *action,
                         struct crash_action *ret_old)
{
    struct crash_action copy;

    if (action != NULL) {
        copy = *action; /* the caller's two may be one */
        write_previous(signal, &copy, ret_old);
    } else if (ret_old != NULL) {
        read_previous(signal, ret_old);
    }
}

static uint64_t own_handler(void)
{
    return (uint64_t)(uintptr_t)crash_on_signal;
}

static const struct crash_action *own_action(void)
{
    static struct crash_action own = { 0, SA_SIGINFO | SA_ONSTACK | SA_RESTART, CRASH_ALL_SIGNALS };

    own.handler = own_handler();
    return &own;
}

/* Also brings back what somebody took away: the flags, by a signal() that restored only our
 * address, or the place, which a handler keeps that is not to be `displaced`. 0, 1 for such a one,
 * or a negative errno. */
static int install_one(int signal, int displaced)
{
    const struct crash_action *own = own_action();
    struct crash_action now;
    int result = crash_kernel_action(signal, NULL, &now);

    if (result < 0 || (now.handler == own->handler && (now.flags & own->flags) == own->flags)) {
        return result;
    }
    if (now.handler != own->handler) {
        if (!displaced && now.handler > (uint64_t)(uintptr_t)SIG_IGN) {
            return 1;
        }
        older[signal] = previous[signal].action;
        write_previous(signal, &now, NULL);
    }
    return crash_kernel_action(signal, own, NULL);
}

/* The signals that are left to somebody else, or 0 and a negative errno. */
static uint64_t install_all(uint64_t signals, int displaced, int *ret_result)
{
    uint64_t left = 0;

    for (int signal = 1; signal < CRASH_SIGNALS; signal++) {
        int result = (signals & CRASH_BIT(signal)) != 0 ? install_one(signal, displaced) : 1;

        if (result < 0) {
            *ret_result = result;
            return 0;
        }
        if (result == 0) {
            __atomic_fetch_or(&crash_state.installed, CRASH_BIT(signal), __ATOMIC_RELEASE);
        } else {
            left |= signals & CRASH_BIT(signal);
        }
    }
    return left;
}

int crash_install(uint64_t signals)
{
    int result = 0;

    /* Neither can be caught. */
    install_all(signals & ~(CRASH_BIT(SIGKILL) | CRASH_BIT(SIGSTOP)), 1, &result);
    return result;
}

uint64_t crash_repair(void)
{
    int result = 0;

    return install_all(__atomic_load_n(&crash_state.installed, __ATOMIC_ACQUIRE), 0, &result);
}

void crash_deliver_anew(int signal)
{
    install_one(signal, 1);
    if (signal != SIGSEGV && signal != SIGBUS && signal != SIGFPE && signal != SIGILL) {
        sys_tgkill(sys_getpid(), sys_gettid(), signal);
    }
}

const struct crash_action *crash_older(int signal)
{
    return &older[signal];
}

void crash_uninstall(void)
{
    uint64_t installed = __atomic_exchange_n(&crash_state.installed, 0, __ATOMIC_ACQ_REL);

    for (int signal = 1; signal < CRASH_SIGNALS; signal++) {
        struct crash_action now, old;

        if ((installed & CRASH_BIT(signal)) != 0 && crash_kernel_action(signal, NULL, &now) == 0 &&
            now.handler == own_handler()) {
            read_previous(signal, &old);
            crash_kernel_action(signal, &old, NULL);
        }
    }
}

void crash_reset(void)
{
    for (size_t i = 0; i < CRASH_HANDLERS; i++) {
        __atomic_store_n(&crash_state.handlers[i].page, NULL, __ATOMIC_SEQ_CST);
    }
    __atomic_store_n(&crash_state.gate, 0, __ATOMIC_SEQ_CST);
    crash_state.child = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigaction(), signal() and their kin, as the preload library offers them to the program. [app]:
 * also called from the program's signal handlers, so everything here is async-signal-safe.
 *
 * For a signal that Cairn handles, the program's handler is remembered instead of installed: the
 * crash path calls it after the capture, queries report it, and setting SIG_DFL makes the next such
 * signal end the process. All other signals go to the kernel. libc's own functions are not called:
 * they are what is replaced here, and at the first call nothing may be initialised yet.
 */
#include "core/client/client.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* What libc uses itself (NPTL's cancellation and set*id) and hides from programs. */
#define FIRST_RESERVED 32
#define LAST_RESERVED  33

/* A flag that libc adds to every action, and that programs see when they ask. */
#define LIBC_RESTORER 0x04000000u

/* Under these names libc exports the same functions once more. */
int __sigaction(int signal, const struct sigaction *action, struct sigaction *old);
sighandler_t bsd_signal(int signal, sighandler_t handler);
sighandler_t __sysv_signal(int signal, sighandler_t handler);

static void to_crash(const struct sigaction *action, struct crash_action *ret_action)
{
    ret_action->handler = (uint64_t)(uintptr_t)action->sa_handler;
    ret_action->flags = (unsigned int)action->sa_flags | LIBC_RESTORER;
    memcpy(&ret_action->mask, &action->sa_mask, sizeof(ret_action->mask));
}

static void from_crash(const struct crash_action *action, struct sigaction *ret_action)
{
    memset(ret_action, 0, sizeof(*ret_action));
    ret_action->sa_handler = (sighandler_t)(uintptr_t)action->handler;
    ret_action->sa_flags = (int)action->flags;
    memcpy(&ret_action->sa_mask, &action->mask, sizeof(action->mask));
}

static int is_ours(int signal)
{
    return (__atomic_load_n(&crash_state.installed, __ATOMIC_ACQUIRE) & CRASH_BIT(signal)) != 0;
}

/* What was left out of the masks of the program's handlers for other signals: a fault in one of
 * them is to be seen, too. */
static uint64_t left_out[CRASH_SIGNALS];

static int change_other(int signal, const struct crash_action *action, struct crash_action *ret_old)
{
    uint64_t before = __atomic_load_n(&left_out[signal], __ATOMIC_RELAXED);
    uint64_t ours = __atomic_load_n(&crash_state.installed, __ATOMIC_ACQUIRE);
    struct crash_action open;
    int result;

    if (action != NULL) {
        open = *action;
        open.mask &= ~ours;
    }
    result = crash_kernel_action(signal, action != NULL ? &open : NULL, ret_old);
    if (result < 0) {
        errno = -result;
        return -1;
    }
    if (ret_old != NULL) {
        ret_old->mask |= before;
    }
    if (action != NULL) {
        __atomic_store_n(&left_out[signal], action->mask & ours, __ATOMIC_RELAXED);
    }
    return 0;
}

static int change(int signal, const struct crash_action *action, struct crash_action *ret_old)
{
    if (signal < 1 || signal >= CRASH_SIGNALS ||
        (signal >= FIRST_RESERVED && signal <= LAST_RESERVED)) {
        errno = EINVAL;
        return -1;
    }
    if (is_ours(signal)) {
        crash_swap_previous(signal, action, ret_old);
        return 0;
    }
    return change_other(signal, action, ret_old);
}

EXPORT int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
    struct crash_action wanted, before;

    if (action != NULL) {
        to_crash(action, &wanted);
    }
    if (change(signal, action != NULL ? &wanted : NULL, &before) != 0) {
        return -1;
    }
    if (old != NULL) {
        from_crash(&before, old);
    }
    return 0;
}

EXPORT int __sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
    return sigaction(signal, action, old);
}

static sighandler_t install(int signal, sighandler_t handler, uint64_t flags, uint64_t mask)
{
    struct crash_action wanted = { (uint64_t)(uintptr_t)handler, flags | LIBC_RESTORER, mask };
    struct crash_action before;

    if (handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    if (change(signal, &wanted, &before) != 0) {
        return SIG_ERR;
    }
    return (sighandler_t)(uintptr_t)before.handler;
}

EXPORT sighandler_t signal(int signal, sighandler_t handler)
{
    return install(signal, handler, SA_RESTART,
                   signal >= 1 && signal < CRASH_SIGNALS ? CRASH_BIT(signal) : 0);
}

EXPORT sighandler_t bsd_signal(int number, sighandler_t handler)
{
    return signal(number, handler);
}

EXPORT sighandler_t ssignal(int number, sighandler_t handler)
{
    return signal(number, handler);
}

EXPORT sighandler_t sysv_signal(int signal, sighandler_t handler)
{
    return install(signal, handler, (unsigned int)(SA_RESETHAND | SA_NODEFER), 0);
}

EXPORT sighandler_t __sysv_signal(int signal, sighandler_t handler)
{
    return sysv_signal(signal, handler);
}

EXPORT int sigignore(int signal)
{
    return install(signal, SIG_IGN, 0, 0) == SIG_ERR ? -1 : 0;
}

/* The X/Open call changes the mask along with the handler. */
EXPORT sighandler_t sigset(int signal, sighandler_t handler)
{
    sigset_t one, before;
    sighandler_t old;

    if (handler == SIG_ERR || sigemptyset(&one) != 0 || sigaddset(&one, signal) != 0) {
        errno = EINVAL;
        return SIG_ERR;
    }
    if (handler == SIG_HOLD) {
        struct sigaction now;

        if (sigaction(signal, NULL, &now) != 0 || sigprocmask(SIG_BLOCK, &one, &before) != 0) {
            return SIG_ERR;
        }
        old = now.sa_handler;
    } else {
        old = install(signal, handler, 0, 0);
        if (old == SIG_ERR || sigprocmask(SIG_UNBLOCK, &one, &before) != 0) {
            return SIG_ERR;
        }
    }
    return sigismember(&before, signal) ? SIG_HOLD : old;
}

/* Our own alternate stack stays invisible; one that the program sets is its own. */
EXPORT int sigaltstack(const stack_t *stack, stack_t *old)
{
    stack_t before;

    if (client_stack_exchange(stack, &before) != 0) {
        return -1;
    }
    if (old != NULL) {
        *old = before;
        if (client_stack_is_own(&before)) {
            *old = (stack_t){ .ss_flags = SS_DISABLE };
        }
    }
    return 0;
}

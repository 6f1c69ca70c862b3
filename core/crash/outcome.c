/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a call of the program's own handler: reported, recovered from, awaited. Runs in
 * the crashed thread, every signal blocked; crash_on_exit() in one that calls exit().
 */
#include "core/crash/calls.h"

uint32_t crash_open_outcome(void)
{
    return crash_state.child ? OUTCOME_CERTAIN : OUTCOME_OPEN;
}

int crash_report_own(const struct crash_signal *signal, uint64_t handler)
{
    struct crash_handler *next;
    uint64_t number = UINT64_MAX;
    int handled = 0;

    if (!crash_gate_enter(signal)) {
        return 0; /* another thread reports and does not end */
    }
    /* The thread that had the gate may have recovered from the same. */
    while (!handled && !crash_trusts(signal, handler) &&
           (next = crash_next_handler(&number)) != NULL) {
        handled = crash_report(next, signal);
    }
    crash_gate_end(signal);
    return handled;
}

void crash_call_recover(const struct call *call)
{
    crash_settle(&call->signal, OUTCOME_RECOVERED);
    crash_gate_leave(&call->signal);
    if (call->stage != CALL_CALLED && !crash_is_abort(&call->signal)) {
        crash_trust(call);
    }
    crash_call_end(call);
}

/* What it has made the thread call may mend the fault, or end the program for it. */
static void await_call(struct call *call)
{
    crash_settle(&call->signal, OUTCOME_CALLED);
    crash_gate_leave(&call->signal);
    if (call->reported) {
        crash_trust_here(call);
    }
    crash_call_await(call);
}

void crash_call_report(struct call *call, uint32_t outcome)
{
    if (call->stage == CALL_CALLED) {
        call->reported = (uint32_t)crash_settle(&call->signal, OUTCOME_OPEN);
    }
    if (!call->reported) {
        call->reported = 1;
        call->signal.outcome = outcome;
        crash_report_own(&call->signal, 0);
    }
    if (outcome == OUTCOME_CERTAIN) {
        crash_settle(&call->signal, OUTCOME_DIED);
    }
}

/* The next such signal ends the process: by the default action, that is known to us or, where
 * nobody has asked us, to the kernel alone. */
static int is_deadly(int signal)
{
    struct crash_action action;

    if (crash_kernel_action(signal, NULL, &action) != 0) {
        return 0;
    }
    if (action.handler == (uint64_t)(uintptr_t)crash_on_signal) {
        action.handler = crash_own_handler(signal);
    }
    return action.handler == (uint64_t)(uintptr_t)SIG_DFL;
}

/* The handler has raised a deadly signal, which it blocks: takes it, because while a report is made
 * signals are open. Its number, or 0. */
static int take_raised(siginfo_t *ret_info)
{
    static const struct timespec now = { 0, 0 };
    uint64_t pending = 0, deadly = 0;

    sys_call(__NR_rt_sigpending, &pending, sizeof(pending), 0);
    pending &= crash_state.installed;
    for (int signal = 1; pending != 0 && signal < CRASH_SIGNALS; signal++) {
        if ((pending & CRASH_BIT(signal)) != 0 && is_deadly(signal)) {
            deadly |= CRASH_BIT(signal);
        }
    }
    return deadly == 0 ? 0
                       : (int)sys_call6(__NR_rt_sigtimedwait, &deadly, ret_info, &now,
                                        sizeof(deadly), 0, 0);
}

/* Without the trap nobody could tell: then the handler is believed, as the kernel would. */
static int can_step(const struct crash_signal *signal)
{
    return (crash_state.installed & ~signal->context->uc_sigmask & CRASH_BIT(SIGTRAP)) != 0;
}

void crash_call_return(struct call *call, const struct crash_signal *signal)
{
    siginfo_t raised;
    int number = take_raised(&raised);

    if (number > 0) {
        crash_call_report(call, OUTCOME_CERTAIN);
        call->context = *signal->context; /* where it is going to strike */
        call->stage = CALL_RETURNED;
        sys_rt_tgsigqueueinfo(signal->pid, signal->tid, number, &raised);
    } else if (crash_call_is_made(call, signal)) {
        await_call(call);
    } else if (context_has_moved(signal->context, &call->context)) {
        crash_call_recover(call); /* it makes the program go on elsewhere, as runtimes do */
    } else if (crash_faults_again(signal) && can_step(signal)) {
        if (is_deadly(signal->number)) {
            crash_call_report(call, crash_open_outcome()); /* nobody would see it fault again */
        }
        context_set_step(signal->context, 1);
        call->stage = CALL_RETURNED;
    } else if (crash_is_abort(signal)) {
        call->stage = CALL_RETURNED; /* abort() goes on to end the process, raise() does not */
    } else {
        crash_call_recover(call);
    }
}

void crash_on_exit(void)
{
    uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0), all = CRASH_ALL_SIGNALS, mask;
    struct call *call;

    if (crash_state.here == NULL ||
        __atomic_load_n(crash_state.here, __ATOMIC_ACQUIRE) != (uint32_t)sys_getpid()) {
        return;
    }
    call = crash_call_find(sys_gettid());
    if (call == NULL) {
        return;
    }
    sys_rt_sigprocmask(SIG_SETMASK, &all, &mask);
    if (crash_call_is_inside(call, here)) {
        crash_call_report(call, OUTCOME_CERTAIN);
    } else {
        crash_call_recover(call);
    }
    sys_rt_sigprocmask(SIG_SETMASK, &mask, NULL);
}

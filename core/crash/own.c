/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs with signal handlers of their own. The first time, the report is made before the
 * program's handler is asked, and stays open until the program dies or recovers. A handler that has
 * recovered once is asked first from then on: runtimes turn faults into exceptions by the thousand.
 * If the program dies in it, or of it, the report is about the fault that the handler was called
 * for. Runs in the crashed thread, on its alternate stack, every signal blocked.
 *
 * How it went is known when the handler returns: to other registers, or to an instruction that is
 * then made to run alone (trap flag), so that it either faults again or has been mended. A handler
 * that jumps out is found out by the thread's next signal, by the end of the program, or by the
 * monitor, which looks where the thread stands. One that makes the thread call something, as if the
 * faulting instruction had (Go, Mono), has not decided yet: what comes of that call decides.
 */
#include "core/crash/calls.h"

/* Of a handler's frames, when they do not fit the signal stack. */
#define OVERFLOW_BYTES (8ull << 20)

static void die(const struct crash_signal *signal)
{
    crash_settle(signal, OUTCOME_DIED);
    crash_default_action(signal);
}

/* A signal that is not about a handler's call. */
static void handle_new(struct crash_signal *signal)
{
    uint64_t handler = crash_own_handler(signal->number);
    int certain = crash_is_certain(signal, handler), trust = crash_trusts(signal, handler);
    struct call *call = NULL;

    signal->outcome = certain ? OUTCOME_CERTAIN : crash_open_outcome();
    if ((!trust && crash_report_own(signal, handler)) || certain) {
        die(signal);
        return;
    }
    if (handler > (uint64_t)(uintptr_t)SIG_IGN) {
        call = crash_call_begin(signal, handler, !trust);
    }
    crash_ask_previous(signal, call != NULL ? &call->blocked : NULL);
    if (call != NULL) {
        call->blocked = 0;
        crash_call_return(call, signal);
    } else if (!crash_is_abort(signal)) {
        crash_settle(signal, OUTCOME_RECOVERED);
    }
    crash_gate_leave(signal);
}

/* A signal inside the handler of another one: the first is the crash. */
static void handle_inside(struct call *call, const struct crash_signal *signal)
{
    int shut = (call->blocked & CRASH_BIT(signal->number)) != 0 && !crash_is_abort(signal);
    int certain = shut || crash_is_certain(signal, crash_own_handler(signal->number));

    if (crash_put_back(signal, call->blocked)) {
        return;
    }
    crash_call_report(call, certain ? OUTCOME_CERTAIN : crash_open_outcome());
    if (shut || crash_ask_previous(signal, NULL) != 0) {
        crash_default_action(signal);
    }
}

/* Where a handler of this signal runs: on the signal stack and, should it overflow, below; not
 * where the signal struck. Without a signal stack, on what lies below the signal. */
static void find_stack(struct crash_signal *signal)
{
    const stack_t *stack = &signal->context->uc_stack;
    uint64_t low = (uint64_t)(uintptr_t)stack->ss_sp;

    signal->top = (uint64_t)(uintptr_t)signal->context;
    signal->low = 0;
    if (signal->top - low < stack->ss_size) {
        int is_free = low - context_sp(signal->context) >= OVERFLOW_BYTES;

        signal->low = is_free && low > OVERFLOW_BYTES ? low - OVERFLOW_BYTES : low;
    }
}

void crash_handle(struct crash_signal *signal)
{
    struct call *call = crash_call_find(signal->tid);
    enum call_next next = call != NULL ? crash_call_judge(call, signal) : NEXT_OTHER;

    if (crash_gate_is_closed_by(signal)) {
        crash_default_action(signal); /* our own handler crashed */
        return;
    }
    find_stack(signal);
    if (call != NULL && call->stage == CALL_RETURNED) {
        context_set_step(signal->context, 0);
    }
    switch (next) {
    case NEXT_INSIDE:
        handle_inside(call, signal);
        return;
    case NEXT_AGAIN:
        crash_call_report(call, OUTCOME_CERTAIN);
        crash_default_action(signal);
        return;
    default:
        break;
    }
    if (call != NULL) {
        crash_call_recover(call);
    }
    if (next != NEXT_STEP) {
        handle_new(signal);
    }
}

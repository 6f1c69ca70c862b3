/* SPDX-License-Identifier: Apache-2.0 */
/* What a crashed thread does; see crash_thread.h. Runs in the test. */
#include "tests/unit/crash_thread.h"

#include "core/crash/parts.h"

#define ENDING (1u << 30) /* as in core/crash/gate.c */

static struct ucontext context;

static struct crash_signal crash_of(int tid)
{
    return (struct crash_signal){ .number = SIGSEGV, .context = &context, .tid = tid };
}

void crash_thread_close_gate(int other_tid)
{
    crash_state.gate = (uint32_t)other_tid | ENDING;
}

int crash_thread_enter_gate(int tid)
{
    struct crash_signal signal = crash_of(tid);

    return crash_gate_enter(&signal);
}

void crash_thread_leave_gate(int tid)
{
    struct crash_signal signal = crash_of(tid);

    crash_gate_end(&signal);
    crash_gate_leave(&signal);
}

int crash_thread_die(int tid)
{
    struct crash_signal signal = crash_of(tid);

    return crash_settle(&signal, OUTCOME_DIED);
}

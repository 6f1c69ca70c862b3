/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the crash handler among themselves. [crash]: runs in the crashed thread, on its
 * alternate stack, with every signal blocked; imports nothing.
 */
#ifndef CAIRN_CORE_CRASH_PARTS_H
#define CAIRN_CORE_CRASH_PARTS_H

#include "core/capture/sys.h"
#include "core/crash/arch/x86_64/context.h"
#include "core/crash/handler.h"

#define CRASH_ALL_SIGNALS (~0ull)

/* A signal as the kernel delivered it, and to whom. */
struct crash_signal {
    int number;
    siginfo_t *info;
    struct ucontext *context;
    int pid, tid;
    uint64_t low, top; /* of the stack, what lies below the kernel's frame: a handler's part */
    uint32_t outcome;  /* enum slot_outcome: what its report begins with */
    uint64_t call_at;  /* as in struct page_slot */
};

/* The kernel's entry. */
void crash_on_signal(int number, siginfo_t *info, void *context);

/* ---- gate.c: one crash at a time ---- */

/* True when this thread is the one that reports: its handler of ours crashed. */
int crash_gate_is_closed_by(const struct crash_signal *signal);
/* Non-zero: this thread reports. 0: another one does, and did not end in time. */
int crash_gate_enter(const struct crash_signal *signal);
/* The report is made; what follows are earlier handlers and the default action. */
void crash_gate_end(const struct crash_signal *signal);
/* The program goes on: the next crash is a crash of its own. */
void crash_gate_leave(const struct crash_signal *signal);

/* What is found in the table between the two, page and reserve, stays mapped; who holds the gate
 * needs neither. */
static inline void crash_begin_use(void)
{
    __atomic_fetch_add(&crash_state.users, 1, __ATOMIC_SEQ_CST);
}

static inline void crash_end_use(void)
{
    __atomic_fetch_sub(&crash_state.users, 1, __ATOMIC_SEQ_CST);
}

/* ---- children.c: children of fork() ---- */

/* True when this memory is the signalled process's own: not in a child of vfork(). */
int crash_is_here(const struct crash_signal *signal);
/* The slot for a crash of process `pid`: of the program its own, of a fork child a free one, which
 * it gives back. NULL: children are left alone, or all slots have been in use for five seconds. */
struct page_slot *crash_take_slot(struct page *page, int32_t pid);
void crash_give_back_slot(struct page_slot *slot);

/* ---- event.c: one crash, one handler ---- */

/* Non-zero: the post-dump callback handled it, nobody else is asked. */
int crash_report(struct crash_handler *handler, const struct crash_signal *signal);
/* What became of the crash that this thread has reported, where that was open: OUTCOME_RECOVERED,
 * OUTCOME_DIED, OUTCOME_CALLED, and back from there OUTCOME_OPEN. Non-zero: it was open. */
int crash_settle(const struct crash_signal *signal, uint32_t outcome);

/* ---- callback.c: the program's callbacks, guarded ---- */

/* 0 = the filter said no. */
int crash_ask_filter(const struct crash_handler *handler, const struct crash_signal *signal);
/* Non-zero = handled. */
int crash_tell_post_dump(const struct crash_handler *handler, const struct crash_signal *signal,
                         const struct crash_result *result);
/* Non-zero: a first-chance callback dealt with the signal, the program goes on where the context
 * says. Also in a fork child, which lives on the same faults as its parent; takes no lock. */
int crash_is_dealt_with(const struct crash_signal *signal);
/* Calls function(argument) so that a fault, or with `clock` a second, makes it return. 0 when it
 * returned by itself. In any number of threads, but not nested in one. */
int crash_call_guarded(void (*function)(void *), void *argument, const struct crash_signal *signal,
                       int clock);
/* True when the signal struck inside a callback: returning from the signal handler then resumes
 * after it. */
int crash_guard_recover(const struct crash_signal *signal);
/* No callback runs. */
int crash_guards_are_free(void);
/* In a fork child: those of its parent's threads are not its own. */
void crash_guards_reset(void);
/* True for the guard's own clock, which may be late. */
int crash_guard_is_clock(const siginfo_t *info);

/* ---- tiers.c: a report without the monitor ---- */

/* Why the monitor does not make it: a whole sentence. */
#define CRASH_REASON_BYTES 192

/* A sandbox is in force: some system calls may be refused, or kill. */
int crash_is_filtered(void);
/* What becomes of the minidump in the reserve when the outcome of an open report is known; as long
 * as it is not, it stays open. */
void crash_settle_reserve(struct crash_handler *handler, uint32_t outcome);
/* A minidump in the reserve, by a copy of this process or, where none can be made, by this thread.
 * Non-zero: it is complete, and the slot's `success`, `id`, `path` say so. */
int crash_write_reserve(struct crash_handler *handler, struct page *page, struct page_slot *slot,
                        const struct crash_signal *signal, const char *reason);

/* ---- signals.c: who handles what ---- */

/* Of a signal that came without siginfo and context: our handler is put in its place again, with
 * its flags; a fault then strikes once more by itself, another signal is sent once more. */
void crash_deliver_anew(int signal);
/* What was there before that which crash_swap_previous() tells. */
const struct crash_action *crash_older(int signal);

/* ---- ending.c: earlier handlers, the default action ---- */

/* The signal would have been ignored without us. */
int crash_is_ignored(const struct crash_signal *signal);
/* Those of our signals that the thread believes to block. */
uint64_t crash_believed_mask(void);
/* A sent signal of those that the program believes to be blocked: it is put back, and really
 * blocked from now on. */
int crash_put_back(const struct crash_signal *signal, uint64_t blocked);
/* abort(): it ends the process even if a handler returns. */
int crash_is_abort(const struct crash_signal *signal);
/* The instruction that faulted is the next one to run. */
int crash_faults_again(const struct crash_signal *signal);
/* True when the earlier handler that is being asked has called us, because we were there before it:
 * then what was there before us has had its turn. */
int crash_is_asked_back(const struct crash_signal *signal);
/* Calls the program's handler as the kernel would have. Non-zero: there is none. What the handler
 * is to believe to be blocked of our signals, and is not, goes to `blocked`; NULL: they are. */
int crash_ask_previous(const struct crash_signal *signal, uint64_t *blocked);
/* Ends the process by the signal's default action as soon as the signal handler returns. */
void crash_default_action(const struct crash_signal *signal);

/* ---- own.c: programs with handlers of their own ---- */

/* What becomes of a signal of this process: report it to every handler, newest first, ask the
 * program's own handler, or let it be asked first. */
void crash_handle(struct crash_signal *signal);

#endif

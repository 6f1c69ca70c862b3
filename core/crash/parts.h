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
};

/* The kernel's entry. */
void crash_on_signal(int number, siginfo_t *info, void *context);

/* ---- gate.c: one crash at a time ---- */

enum crash_entry {
    CRASH_ENTERED,   /* this thread reports */
    CRASH_CHAINED,   /* a signal inside an earlier handler that we called: no second report */
    CRASH_REENTERED, /* our own handler crashed */
    CRASH_REFUSED,   /* another thread reports and did not end in time */
};
enum crash_entry crash_gate_enter(const struct crash_signal *signal);
/* The report is made; what follows are earlier handlers and the default action. */
void crash_gate_end(const struct crash_signal *signal);
/* The program goes on: the next crash is a crash of its own. */
void crash_gate_leave(const struct crash_signal *signal);

/* ---- children.c: children of fork() ---- */

/* True when this memory is the signalled process's own: not in a child of vfork(). */
int crash_is_here(const struct crash_signal *signal);

/* ---- event.c: one crash, one handler ---- */

/* Non-zero: the post-dump callback handled it, nobody else is asked. */
int crash_report(struct crash_handler *handler, const struct crash_signal *signal);

/* ---- callback.c: the program's callbacks, guarded ---- */

/* 0 = the filter said no. */
int crash_ask_filter(const struct crash_handler *handler, const struct crash_signal *signal);
/* Non-zero = handled. */
int crash_tell_post_dump(const struct crash_handler *handler, const struct crash_signal *signal,
                         const struct crash_result *result);
/* Calls function(argument) so that a fault, or the clock after a second, makes it return. 0 when it
 * returned by itself. Not nested. */
int crash_call_guarded(void (*function)(void *), void *argument, const struct crash_signal *signal);
/* True when the signal struck inside a callback: returning from the signal handler then resumes
 * after it. */
int crash_guard_recover(const struct crash_signal *signal);
/* True for the guard's own clock, which may be late. */
int crash_guard_is_clock(const siginfo_t *info);

/* ---- tiers.c: a report without the monitor ---- */

/* Why the monitor does not make it: a whole sentence. */
#define CRASH_REASON_BYTES 192

/* A minidump in the reserve, by a copy of this process or, where none can be made, by this thread.
 * Non-zero: it is complete, and the slot's `success`, `id`, `path` say so. */
int crash_write_reserve(struct crash_handler *handler, struct page *page, struct page_slot *slot,
                        const struct crash_signal *signal, const char *reason);

/* ---- ending.c: earlier handlers, the default action ---- */

/* The signal would have been ignored without us. */
int crash_is_ignored(const struct crash_signal *signal);
/* A sent signal that the program believes to be blocked: it is put back, and blocked from now on. */
int crash_put_back(const struct crash_signal *signal);
/* The program's own handler returned from this very fault a moment ago and did not mend it. */
int crash_is_repeated(const struct crash_signal *signal);
/* Non-zero: an earlier handler dealt with the signal, the program goes on. */
int crash_ask_previous(const struct crash_signal *signal);
/* Ends the process by the signal's default action as soon as the signal handler returns. */
void crash_default_action(const struct crash_signal *signal);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of the program's own signal handlers: whose is under way, what a thread's next signal
 * says of the one that it was in, and which handlers are asked before anything is captured.
 * [crash]: runs in the crashed thread, every signal blocked; imports nothing.
 */
#ifndef CAIRN_CORE_CRASH_CALLS_H
#define CAIRN_CORE_CRASH_CALLS_H

#include "core/crash/parts.h"

enum call_stage {
    CALL_RUNNING = 0,  /* the handler has been called */
    CALL_RETURNED = 1, /* it has returned and left everything as it was: mended or not? */
    CALL_CALLED = 2,   /* it has returned, and made the thread call something */
};

struct call {
    uint32_t stage;             /* enum call_stage */
    uint32_t reported;          /* with `signal` */
    uint64_t handler, blocked;  /* what it believes to be blocked, and is not */
    struct crash_signal signal; /* it leads to the copies, the handler has the originals */
    siginfo_t info;
    struct ucontext context;
};

/* What the next signal of a thread says of its call. */
enum call_next {
    NEXT_INSIDE, /* the handler runs, or what it has raised became due when it returned */
    NEXT_AGAIN,  /* it has returned, and mended nothing */
    NEXT_STEP,   /* it has mended it */
    NEXT_OTHER,  /* it has left, this is something new */
};

/* ---- The table: an entry is used by its thread alone ---- */

/* NULL: so many threads are in their handlers that this one is not remembered. */
struct call *crash_call_begin(const struct crash_signal *signal, uint64_t handler,
                              uint32_t reported);
/* The thread's call, or NULL. */
struct call *crash_call_find(int tid);
void crash_call_end(const struct call *call);
/* The handler has returned: what it made the thread call is awaited, as long as no other thread
 * needs the place. */
void crash_call_await(struct call *call);

/* ---- How it stands ---- */

/* Whether `sp` is on the handler's part of the stack, or on that of what it has made the thread
 * call. */
int crash_call_is_inside(const struct call *call, uint64_t sp);
/* Whether the handler, which returns now, has left the thread as if the instruction that struck had
 * called something. */
int crash_call_is_made(struct call *call, const struct crash_signal *signal);
enum call_next crash_call_judge(const struct call *call, const struct crash_signal *signal);

/* ---- Whom to ask ---- */

/* The program's own, of this signal. */
uint64_t crash_own_handler(int signal);
/* Nobody is asked: the default action follows. */
int crash_is_certain(const struct crash_signal *signal, uint64_t handler);
/* It is asked first. */
int crash_trusts(const struct crash_signal *signal, uint64_t handler);
/* It has recovered from this signal, wherever that strikes; or has made a call, here. */
void crash_trust(const struct call *call);
void crash_trust_here(const struct call *call);

/* ---- outcome.c: what becomes of it ---- */

/* What a report begins with. A fork child's slot goes back to the others when the report is made:
 * nobody waits for what its handler does. */
uint32_t crash_open_outcome(void);
/* One report by each of our handlers, unless the program's own, `handler`, is to be asked first.
 * Non-zero: a post-dump callback handled the crash. */
int crash_report_own(const struct crash_signal *signal, uint64_t handler);
/* The report about what the handler was called for, unless there is one already. */
void crash_call_report(struct call *call, uint32_t outcome);
/* The program goes on. */
void crash_call_recover(const struct call *call);
/* The program's handler returns, and so shall we. */
void crash_call_return(struct call *call, const struct crash_signal *signal);

#endif

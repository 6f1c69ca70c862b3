/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the program's own signal handlers; see calls.h. Runs in the crashed thread. */
#include "core/crash/calls.h"

/* Neither SIG_BLOCK nor its kin. */
#define NO_SUCH_WAY 99

/* Threads that are in their handlers, or have jumped out of them, at the same time. */
#define CALLS 64

/* In `threads`: any other thread may have the place. */
#define AWAITED (1 << 30)

/* Places of the program whose faults ended in a call, and were captured for that. */
#define SITES 256

static int32_t threads[CALLS]; /* whose call it is; 0: free */

/* Mostly never touched, and then to cost nothing: by its section's name the linker puts it behind
 * all other data, so that what every program writes shares two pages. */
__attribute__((section(".bss.~calls"))) static struct call calls[CALLS];

/* The handler that has recovered from this signal. */
static uint64_t trusted[CRASH_SIGNALS];

/* Handlers that have made calls, each with the instruction for which they did: from its own place
 * on the first one that is free. */
__attribute__((section(".bss.~sites"))) static uint64_t sites[SITES];

/* ---- The table ---- */

/* `awaited`: tid with or without the bit. Programs that change their signal masks often come here
 * often: nothing is locked but what is taken back. */
static struct call *find(int32_t awaited, int tid)
{
    for (size_t i = 0; i < CALLS; i++) {
        int32_t seen = __atomic_load_n(&threads[i], __ATOMIC_ACQUIRE);

        if (seen == tid ||
            (seen == awaited && __atomic_compare_exchange_n(&threads[i], &seen, tid, 0,
                                                            __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))) {
            return &calls[i];
        }
    }
    return NULL;
}

struct call *crash_call_find(int tid)
{
    return find(tid | AWAITED, tid);
}

void crash_opened(uint64_t signals)
{
    int tid = sys_gettid();
    struct call *call = find(tid, tid);

    if (call != NULL) {
        call->blocked &= ~signals;
    }
}

void crash_call_end(const struct call *call)
{
    __atomic_store_n(&threads[call - calls], 0, __ATOMIC_RELEASE);
}

void crash_call_await(struct call *call)
{
    call->stage = CALL_CALLED;
    __atomic_store_n(&threads[call - calls], call->signal.tid | AWAITED, __ATOMIC_RELEASE);
}

struct call *crash_call_begin(const struct crash_signal *signal, uint64_t handler,
                              uint32_t reported)
{
    for (size_t n = 0; n < CALLS; n++) {
        size_t i = (n + (size_t)signal->tid) % CALLS; /* the first one is often awaited */
        int32_t seen = __atomic_load_n(&threads[i], __ATOMIC_ACQUIRE);

        if ((seen == 0 || sys_tgkill(signal->pid, seen, 0) == -ESRCH) &&
            __atomic_compare_exchange_n(&threads[i], &seen, signal->tid, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
            struct call *call = &calls[i];

            call->stage = CALL_RUNNING;
            call->reported = reported;
            call->handler = handler;
            call->blocked = 0;
            call->signal = *signal;
            call->info = *signal->info;
            call->context = *signal->context;
            call->signal.info = &call->info;
            call->signal.context = &call->context;
            return call;
        }
    }
    return NULL;
}

/* ---- How it stands ---- */

/* What it has made the thread call may be under way: its return address is still there. */
static int is_calling(const struct call *call)
{
    const uint64_t *at = (const uint64_t *)(uintptr_t)call->signal.call_at;

    return sys_rt_sigprocmask(NO_SUCH_WAY, at, NULL) != -EFAULT &&
           *at == context_pc(&call->context);
}

/* The stack below the kernel's frame is the handler's as long as the frame is what it was. It may
 * not even be mapped any more: asked to do what it does not know, the kernel reads first. Of a
 * handler that overflows the signal stack nothing is left, the kernel begins anew at the top. */
int crash_call_is_inside(const struct call *call, uint64_t sp)
{
    const struct ucontext *frame = (const struct ucontext *)(uintptr_t)call->signal.top;

    if (call->stage == CALL_CALLED) {
        return sp < call->signal.call_at && is_calling(call);
    }
    if (call->stage != CALL_RUNNING || sp < call->signal.low || sp >= call->signal.top) {
        return 0;
    }
    if (call->signal.low != 0 && sp < (uint64_t)(uintptr_t)call->context.uc_stack.ss_sp) {
        return 1;
    }
    return sys_rt_sigprocmask(NO_SUCH_WAY, &frame->uc_sigmask, NULL) != -EFAULT &&
           context_is_same(frame, &call->context);
}

int crash_call_is_made(struct call *call, const struct crash_signal *signal)
{
    call->signal.call_at = context_sp(signal->context);
    return call->signal.call_at < context_sp(&call->context) && is_calling(call);
}

/* What crash_call_judge() says when the handler has returned, and left everything as it was. */
static enum call_next judge_returned(const struct call *call, const struct crash_signal *signal)
{
    if (signal->number == SIGTRAP && signal->info->si_code == TRAP_TRACE) {
        return NEXT_STEP;
    }
    if (context_pc(signal->context) != context_pc(&call->context)) {
        return NEXT_OTHER;
    }
    if (signal->info->si_code <= 0) {
        return NEXT_INSIDE;
    }
    return signal->number == call->signal.number && signal->info->si_addr == call->info.si_addr
               ? NEXT_AGAIN
               : NEXT_OTHER;
}

enum call_next crash_call_judge(const struct call *call, const struct crash_signal *signal)
{
    if (call->stage == CALL_CALLED) {
        /* On whichever stack: Go has one of its own for its end. */
        return is_calling(call) && (crash_is_abort(signal) ||
                                    crash_is_certain(signal, crash_own_handler(signal->number)))
                   ? NEXT_INSIDE
                   : NEXT_OTHER;
    }
    if (call->stage == CALL_RUNNING) {
        return crash_call_is_inside(call, context_sp(signal->context)) ? NEXT_INSIDE : NEXT_OTHER;
    }
    return judge_returned(call, signal);
}

/* ---- Whom to ask ---- */

uint64_t crash_own_handler(int signal)
{
    struct crash_action action;

    crash_swap_previous(signal, NULL, &action);
    return action.handler;
}

int crash_is_certain(const struct crash_signal *signal, uint64_t handler)
{
    return handler == (uint64_t)(uintptr_t)SIG_DFL ||
           (handler == (uint64_t)(uintptr_t)SIG_IGN && signal->info->si_code > 0);
}

static uint64_t site_of(uint64_t handler, const struct ucontext *context)
{
    return handler ^ context_pc(context);
}

static int is_known(uint64_t site)
{
    for (uint64_t i = 0; i < SITES; i++) {
        uint64_t seen = __atomic_load_n(&sites[(site + i) % SITES], __ATOMIC_RELAXED);

        if (seen == 0 || seen == site) {
            return seen == site;
        }
    }
    return 0;
}

/* abort() ends the process when its handler has returned: that one is never asked first. In a fork
 * child the others always are: nobody there waits for an outcome. */
int crash_trusts(const struct crash_signal *signal, uint64_t handler)
{
    return handler > (uint64_t)(uintptr_t)SIG_IGN && !crash_is_abort(signal) &&
           (crash_state.child ||
            __atomic_load_n(&trusted[signal->number], __ATOMIC_RELAXED) == handler ||
            is_known(site_of(handler, signal->context)));
}

void crash_trust(const struct call *call)
{
    __atomic_store_n(&trusted[call->signal.number], call->handler, __ATOMIC_RELAXED);
}

/* One that makes calls by the thousand is trusted everywhere in the end. */
void crash_trust_here(const struct call *call)
{
    uint64_t site = site_of(call->handler, &call->context);

    for (uint64_t i = 0; i < SITES; i++) {
        uint64_t seen = 0;

        if (__atomic_compare_exchange_n(&sites[(site + i) % SITES], &seen, site, 0,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED) ||
            seen == site) {
            return;
        }
    }
    crash_trust(call);
}

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
 * monitor, which looks where the thread stands.
 */
#include "core/crash/parts.h"

/* Neither SIG_BLOCK nor its kin. */
#define NO_SUCH_WAY 99

/* Of a handler's frames, when they do not fit the signal stack. */
#define OVERFLOW_BYTES (8ull << 20)

/* Threads that are in their handlers, or have jumped out of them, at the same time. */
#define CALLS 64

enum call_stage {
    CALL_RUNNING = 0,  /* the handler has been called */
    CALL_RETURNED = 1, /* it has returned and left everything as it was: mended or not? */
};

static int32_t threads[CALLS]; /* whose call it is; 0: free */

/* Mostly never touched, and then to cost nothing: by its section's name the linker puts it behind
 * all other data, so that what every program writes shares two pages. */
__attribute__((section(".bss.~calls"))) static struct call {
    uint32_t stage;    /* enum call_stage */
    uint32_t reported; /* with `signal` */
    uint64_t handler, blocked; /* what it believes to be blocked, and is not */
    struct crash_signal signal; /* it leads to the copies, the handler has the originals */
    siginfo_t info;
    struct ucontext context;
} calls[CALLS];

/* The handler that has recovered from this signal. */
static uint64_t trusted[CRASH_SIGNALS];

/* ---- The table: an entry is used by its thread alone ---- */

static struct call *find_call(int tid)
{
    for (size_t i = 0; i < CALLS; i++) {
        if (__atomic_load_n(&threads[i], __ATOMIC_ACQUIRE) == tid) {
            return &calls[i];
        }
    }
    return NULL;
}

static void end_call(const struct call *call)
{
    __atomic_store_n(&threads[call - calls], 0, __ATOMIC_RELEASE);
}

/* NULL: so many threads are in their handlers that this one is not remembered. */
static struct call *begin_call(const struct crash_signal *signal, uint64_t handler,
                               uint32_t reported)
{
    for (size_t i = 0; i < CALLS; i++) {
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

/* ---- What the next signal of the thread says of its call ---- */

enum next {
    NEXT_INSIDE, /* the handler runs, or what it has raised became due when it returned */
    NEXT_AGAIN,  /* it has returned, and mended nothing */
    NEXT_STEP,   /* it has mended it */
    NEXT_OTHER,  /* it has left, this is something new */
};

/* The stack below the kernel's frame is the handler's as long as the frame is what it was. It may
 * not even be mapped any more: asked to do what it does not know, the kernel reads first. Of a
 * handler that overflows the signal stack nothing is left, the kernel begins anew at the top. */
static int is_inside(const struct call *call, uint64_t sp)
{
    const struct ucontext *frame = (const struct ucontext *)(uintptr_t)call->signal.top;

    if (call->stage != CALL_RUNNING || sp < call->signal.low || sp >= call->signal.top) {
        return 0;
    }
    if (call->signal.low != 0 && sp < (uint64_t)(uintptr_t)call->context.uc_stack.ss_sp) {
        return 1;
    }
    return sys_rt_sigprocmask(NO_SUCH_WAY, &frame->uc_sigmask, NULL) != -EFAULT &&
           context_is_same(frame, &call->context);
}

static enum next judge(const struct call *call, const struct crash_signal *signal)
{
    if (call->stage == CALL_RUNNING) {
        return is_inside(call, context_sp(signal->context)) ? NEXT_INSIDE : NEXT_OTHER;
    }
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

/* ---- What becomes of it ---- */

static uint64_t own_handler(int signal)
{
    struct crash_action action;

    crash_swap_previous(signal, NULL, &action);
    return action.handler;
}

/* A fork child's slot goes back to the others when the report is made: nobody waits for what its
 * handler does. */
static uint32_t open_outcome(void)
{
    return crash_state.child ? OUTCOME_CERTAIN : OUTCOME_OPEN;
}

/* Nobody is asked: the default action follows. */
static int is_certain(const struct crash_signal *signal, uint64_t handler)
{
    return handler == (uint64_t)(uintptr_t)SIG_DFL ||
           (handler == (uint64_t)(uintptr_t)SIG_IGN && signal->info->si_code > 0);
}

/* abort() ends the process when its handler has returned: that one is never asked first. In a fork
 * child the others always are: nobody there waits for an outcome. */
static int is_trusted(const struct crash_signal *signal, uint64_t handler)
{
    return handler > (uint64_t)(uintptr_t)SIG_IGN && !crash_is_abort(signal) &&
           (crash_state.child ||
            __atomic_load_n(&trusted[signal->number], __ATOMIC_RELAXED) == handler);
}

/* Non-zero: a post-dump callback handled the crash. */
static int report(const struct crash_signal *signal, uint64_t handler)
{
    struct crash_handler *next;
    uint64_t number = UINT64_MAX;
    int handled = 0;

    if (!crash_gate_enter(signal)) {
        return 0; /* another thread reports and does not end */
    }
    /* The thread that had the gate may have recovered from the same. */
    while (!handled && !is_trusted(signal, handler) &&
           (next = crash_next_handler(&number)) != NULL) {
        handled = crash_report(next, signal);
    }
    crash_gate_end(signal);
    return handled;
}

static void die(const struct crash_signal *signal)
{
    crash_settle(signal, OUTCOME_DIED);
    crash_default_action(signal);
}

static void recover(const struct call *call)
{
    crash_settle(&call->signal, OUTCOME_RECOVERED);
    crash_gate_leave(&call->signal);
    if (!crash_is_abort(&call->signal)) {
        __atomic_store_n(&trusted[call->signal.number], call->handler, __ATOMIC_RELAXED);
    }
    end_call(call);
}

/* The report about what the handler was called for, unless there is one already. */
static void report_call(struct call *call, uint32_t outcome)
{
    if (!call->reported) {
        call->reported = 1;
        call->signal.outcome = outcome;
        report(&call->signal, 0);
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
        action.handler = own_handler(signal);
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

static void after_return(struct call *call, const struct crash_signal *signal)
{
    siginfo_t raised;
    int number = take_raised(&raised);

    if (number > 0) {
        report_call(call, OUTCOME_CERTAIN);
        call->context = *signal->context; /* where it is going to strike */
        call->stage = CALL_RETURNED;
        sys_rt_tgsigqueueinfo(signal->pid, signal->tid, number, &raised);
    } else if (context_has_moved(signal->context, &call->context)) {
        recover(call); /* it makes the program go on elsewhere, as runtimes do */
    } else if (crash_faults_again(signal) && can_step(signal)) {
        if (is_deadly(signal->number)) {
            report_call(call, open_outcome()); /* nobody would see it fault again */
        }
        context_set_step(signal->context, 1);
        call->stage = CALL_RETURNED;
    } else if (crash_is_abort(signal)) {
        call->stage = CALL_RETURNED; /* abort() goes on to end the process, raise() does not */
    } else {
        recover(call);
    }
}

/* A signal that is not about a handler's call. */
static void handle_new(struct crash_signal *signal)
{
    uint64_t handler = own_handler(signal->number);
    int certain = is_certain(signal, handler), trust = is_trusted(signal, handler);
    struct call *call = NULL;

    signal->outcome = certain ? OUTCOME_CERTAIN : open_outcome();
    if ((!trust && report(signal, handler)) || certain) {
        die(signal);
        return;
    }
    if (handler > (uint64_t)(uintptr_t)SIG_IGN) {
        call = begin_call(signal, handler, !trust);
    }
    crash_ask_previous(signal, call != NULL ? &call->blocked : NULL);
    if (call != NULL) {
        call->blocked = 0;
        after_return(call, signal);
    } else if (!crash_is_abort(signal)) {
        crash_settle(signal, OUTCOME_RECOVERED);
    }
    crash_gate_leave(signal);
}

/* A signal inside the handler of another one: the first is the crash. */
static void handle_inside(struct call *call, const struct crash_signal *signal)
{
    int shut = (call->blocked & CRASH_BIT(signal->number)) != 0 && !crash_is_abort(signal);
    int certain = shut || is_certain(signal, own_handler(signal->number));

    if (crash_put_back(signal, call->blocked)) {
        return;
    }
    report_call(call, certain ? OUTCOME_CERTAIN : open_outcome());
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
    struct call *call = find_call(signal->tid);
    enum next next = call != NULL ? judge(call, signal) : NEXT_OTHER;

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
        report_call(call, OUTCOME_CERTAIN);
        crash_default_action(signal);
        return;
    default:
        break;
    }
    if (call != NULL) {
        recover(call);
    }
    if (next != NEXT_STEP) {
        handle_new(signal);
    }
}

void crash_opened(uint64_t signals)
{
    struct call *call = find_call(sys_gettid());

    if (call != NULL) {
        call->blocked &= ~signals;
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
    call = find_call(sys_gettid());
    if (call == NULL) {
        return;
    }
    sys_rt_sigprocmask(SIG_SETMASK, &all, &mask);
    if (is_inside(call, here)) {
        report_call(call, OUTCOME_CERTAIN);
    } else {
        recover(call);
    }
    sys_rt_sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's own callbacks in the crashed thread, guarded against faults and by a clock. A fault
 * inside one arrives in our signal handler, which makes the call return; so does the clock, a timer
 * of this thread that sends the signal once more after a second. A callback that is cut short has
 * lost its say. Where no timer can be had (RLIMIT_SIGPENDING, seccomp), the guard against faults is
 * left.
 */
#include "core/crash/parts.h"

#define CALLBACK_SECONDS 1

/* First-chance callbacks run in many threads at once. */
#define GUARDS 64u

/* One call that is under way. The timer stays for the next one of the same thread: to make one each
 * time would cost a program that lives on its faults more than all the rest. */
static struct guard {
    uint32_t tid; /* atomic; 0: free */
    int32_t timer;
    int32_t timer_tid, timer_pid, timer_signal; /* whose it is: a fork child has none */
    uint64_t stack;
} guards[GUARDS];

/* What is called, in the guard. */
struct guarded {
    void (*function)(void *);
    void *argument;
    uint64_t signals; /* those that end the call */
};

struct call {
    const struct crash_handler *handler;
    const struct crash_facts *facts;
    const struct crash_result *result;
    int answer;
};

int crash_guard_is_clock(const siginfo_t *info)
{
    return info->si_code == SI_TIMER && info->si_ptr == &guards;
}

/* A thread finds the place of its last call again, mostly. NULL: all are in use. */
static struct guard *claim(uint32_t tid)
{
    for (uint32_t i = 0; i < GUARDS; i++) {
        struct guard *guard = &guards[(tid + i) % GUARDS];
        uint32_t free = 0;

        if (__atomic_compare_exchange_n(&guard->tid, &free, tid, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED)) {
            return guard;
        }
    }
    return NULL;
}

static void release(struct guard *guard)
{
    __atomic_store_n(&guard->tid, 0, __ATOMIC_SEQ_CST);
}

int crash_guard_recover(const struct crash_signal *signal)
{
    for (uint32_t i = 0; i < GUARDS; i++) {
        struct guard *guard = &guards[i];

        if (__atomic_load_n(&guard->tid, __ATOMIC_ACQUIRE) == (uint32_t)signal->tid) {
            context_leave_call(signal->context, guard->stack);
            signal->context->uc_sigmask = CRASH_ALL_SIGNALS;
            return 1;
        }
    }
    return 0;
}

int crash_guards_are_free(void)
{
    uint32_t used = 0;

    for (uint32_t i = 0; i < GUARDS; i++) {
        used |= __atomic_load_n(&guards[i].tid, __ATOMIC_SEQ_CST);
    }
    return used == 0;
}

void crash_guards_reset(void)
{
    __builtin_memset(guards, 0, sizeof(guards));
}

static long set_clock(const struct guard *guard, long seconds)
{
    const struct itimerspec time = { { 0, 0 }, { seconds, 0 } };

    return sys_call6(__NR_timer_settime, guard->timer, 0, &time, NULL, 0, 0);
}

static void start_clock(struct guard *guard, const struct crash_signal *signal)
{
    struct sigevent event = { .sigev_signo = signal->number, .sigev_notify = SIGEV_THREAD_ID };
    int known = guard->timer_pid == signal->pid;

    if (!known || guard->timer_tid != signal->tid || guard->timer_signal != signal->number) {
        if (known) {
            sys_call(__NR_timer_delete, guard->timer, 0, 0);
        }
        event.sigev_value.sival_ptr = &guards;
        event.sigev_notify_thread_id = signal->tid;
        guard->timer_pid = 0;
        if (sys_call(__NR_timer_create, CLOCK_MONOTONIC, &event, &guard->timer) != 0) {
            return;
        }
        guard->timer_pid = signal->pid;
        guard->timer_tid = signal->tid;
        guard->timer_signal = signal->number;
    }
    set_clock(guard, CALLBACK_SECONDS);
}

static void run_unblocked(void *argument)
{
    const struct guarded *guarded = argument;
    const uint64_t all = CRASH_ALL_SIGNALS;

    sys_rt_sigprocmask(SIG_UNBLOCK, &guarded->signals, NULL);
    guarded->function(guarded->argument);
    sys_rt_sigprocmask(SIG_SETMASK, &all, NULL);
}

int crash_call_guarded(void (*function)(void *), void *argument, const struct crash_signal *signal,
                       int clock)
{
    struct guarded guarded = { function, argument,
                               crash_state.installed | CRASH_BIT(signal->number) };
    struct guard *guard = claim((uint32_t)signal->tid);
    int lost;

    if (guard == NULL) {
        function(argument);
        return 0;
    }
    if (clock) {
        start_clock(guard, signal);
    }
    lost = crash_guarded_call(run_unblocked, &guarded, &guard->stack);
    if (clock && guard->timer_pid == signal->pid) {
        set_clock(guard, 0);
    }
    release(guard);
    return lost;
}

static void call_filter(void *argument)
{
    struct call *call = argument;

    call->answer = call->handler->filter(call->facts, call->handler->user);
}

static void call_post_dump(void *argument)
{
    struct call *call = argument;

    call->answer = call->handler->post_dump(call->facts, call->result, call->handler->user);
}

/* The handler may be stopped at this moment: either it is seen here that it was, or there that a
 * guard is in use. */
static void call_first_chance(void *argument)
{
    struct call *call = argument;

    if (__atomic_load_n(&call->handler->page, __ATOMIC_SEQ_CST) != NULL) {
        call->answer = call->handler->first_chance(call->facts, call->handler->user);
    }
}

/* What the callback answers, or `unsaid` when it lost its say. */
__attribute__((noinline)) static int ask(void (*function)(void *),
                                         const struct crash_handler *handler,
                                         const struct crash_result *result,
                                         const struct crash_signal *signal, int unsaid)
{
    const struct crash_facts facts = { sizeof(facts),   signal->number, signal->info,
                                       signal->context, signal->pid,    signal->tid };
    struct call call = { handler, &facts, result, unsaid };

    return crash_call_guarded(function, &call, signal, 1) == 0 ? call.answer != 0 : unsaid;
}

int crash_ask_filter(const struct crash_handler *handler, const struct crash_signal *signal)
{
    return handler->filter == NULL || ask(call_filter, handler, NULL, signal, 1);
}

int crash_tell_post_dump(const struct crash_handler *handler, const struct crash_signal *signal,
                         const struct crash_result *result)
{
    return handler->post_dump != NULL && ask(call_post_dump, handler, result, signal, 0);
}

int crash_is_dealt_with(const struct crash_signal *signal)
{
    struct sigcontext *registers = &signal->context->uc_mcontext;
    unsigned char before[CONTEXT_REGISTER_BYTES];
    const struct crash_handler *handler;
    uint64_t number = UINT64_MAX;

    /* A step is mostly our own, see own.c. */
    if (signal->number == SIGTRAP && signal->info->si_code == TRAP_TRACE) {
        return 0;
    }
    while ((handler = crash_next_handler(&number)) != NULL) {
        if (handler->first_chance == NULL) {
            continue;
        }
        __builtin_memcpy(before, registers, sizeof(before));
        if (ask(call_first_chance, handler, NULL, signal, 0)) {
            return 1;
        }
        /* Nothing of it is left behind: what is reported is the crash. */
        __builtin_memcpy(registers, before, sizeof(before));
    }
    return 0;
}

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

/* Of the one callback that runs; only the thread that holds the gate gets here. */
static struct {
    uint32_t active;
    int32_t tid;
    uint64_t stack;
} guard;

struct call {
    const struct crash_handler *handler;
    const struct crash_facts *facts;
    const struct crash_result *result;
    int answer;
};

int crash_guard_is_clock(const siginfo_t *info)
{
    return info->si_code == SI_TIMER && info->si_ptr == &guard;
}

int crash_guard_recover(const struct crash_signal *signal)
{
    if (__atomic_load_n(&guard.active, __ATOMIC_ACQUIRE) == 0 || guard.tid != signal->tid) {
        return 0;
    }
    __atomic_store_n(&guard.active, 0, __ATOMIC_RELEASE);
    context_leave_call(signal->context, guard.stack);
    signal->context->uc_sigmask = CRASH_ALL_SIGNALS;
    return 1;
}

/* A timer id, or a negative errno. */
static int start_clock(const struct crash_signal *signal)
{
    struct sigevent event = { .sigev_signo = signal->number, .sigev_notify = SIGEV_THREAD_ID };
    struct itimerspec time = { { 0, 0 }, { CALLBACK_SECONDS, 0 } };
    int timer = 0, result;

    event.sigev_value.sival_ptr = &guard;
    event.sigev_notify_thread_id = signal->tid;
    result = (int)sys_call(__NR_timer_create, CLOCK_MONOTONIC, &event, &timer);
    if (result == 0) {
        result = (int)sys_call6(__NR_timer_settime, timer, 0, &time, NULL, 0, 0);
    }
    return result == 0 ? timer : result;
}

int crash_call_guarded(void (*function)(void *), void *argument, const struct crash_signal *signal,
                       int clock)
{
    uint64_t unblocked = crash_state.installed | CRASH_BIT(signal->number);
    int timer = clock ? start_clock(signal) : -1;
    int lost;

    guard.tid = signal->tid;
    __atomic_store_n(&guard.active, 1, __ATOMIC_RELEASE);
    sys_rt_sigprocmask(SIG_UNBLOCK, &unblocked, NULL);
    lost = crash_guarded_call(function, argument, &guard.stack);
    __atomic_store_n(&guard.active, 0, __ATOMIC_RELEASE);
    unblocked = CRASH_ALL_SIGNALS;
    sys_rt_sigprocmask(SIG_SETMASK, &unblocked, NULL);
    if (timer >= 0) {
        sys_call(__NR_timer_delete, timer, 0, 0);
    }
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

static void state_facts(const struct crash_signal *signal, struct crash_facts *ret_facts)
{
    ret_facts->size = sizeof(*ret_facts);
    ret_facts->signal = signal->number;
    ret_facts->info = signal->info;
    ret_facts->context = signal->context;
    ret_facts->pid = signal->pid;
    ret_facts->tid = signal->tid;
}

int crash_ask_filter(const struct crash_handler *handler, const struct crash_signal *signal)
{
    struct crash_facts facts;
    struct call call = { handler, &facts, NULL, 1 };

    if (handler->filter == NULL) {
        return 1;
    }
    state_facts(signal, &facts);
    return crash_call_guarded(call_filter, &call, signal, 1) != 0 || call.answer != 0;
}

int crash_tell_post_dump(const struct crash_handler *handler, const struct crash_signal *signal,
                         const struct crash_result *result)
{
    struct crash_facts facts;
    struct call call = { handler, &facts, result, 0 };

    if (handler->post_dump == NULL) {
        return 0;
    }
    state_facts(signal, &facts);
    return crash_call_guarded(call_post_dump, &call, signal, 1) == 0 && call.answer != 0;
}

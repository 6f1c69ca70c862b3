/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at one thread: by /proc when it waits in the kernel, else by ptrace. Tracing is done by a
 * thread of its own, whose end lets go of a thread that did not stop in time. Runs in the monitor.
 */
#include "core/monitor/look.h"

#include "core/capture/arch/arch.h"
#include "core/monitor/clock.h"
#include "core/monitor/proc.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_NS    (50 * CLOCK_MILLISECOND)
#define PAUSE_NS   (CLOCK_MILLISECOND / 5)
#define STACK_SIZE (64 * 1024)

struct look {
    int32_t pid, tid;
    uint64_t stack_pointer;
};

/* "NUMBER 0xARGUMENT… 0xSP 0xPC", or "running". 0: it runs; or it may not be read. */
static uint64_t read_waiting(int32_t pid, int32_t tid)
{
    char name[64], text[256];

    snprintf(name, sizeof(name), "task/%d/syscall", (int)tid);
    proc_read(pid, name, text, sizeof(text));
    char *last = strrchr(text, ' ');
    if (last == NULL) {
        return 0;
    }
    *last = '\0';
    last = strrchr(text, ' ');
    return last != NULL ? strtoull(last, NULL, 16) : 0;
}

/* Not for long; 0 when it has stopped, with the signal that it is to get when it goes on. */
static int await_stop(int32_t tid, int *ret_signal)
{
    const struct timespec pause = { 0, PAUSE_NS };
    const uint64_t deadline = clock_now() + STOP_NS;
    int status;

    while (clock_now() < deadline) {
        pid_t got = waitpid(tid, &status, __WALL | WNOHANG);
        if (got == tid) {
            bool event = status >> 16 != 0;
            *ret_signal = event ? 0 : WSTOPSIG(status);
            return WIFSTOPPED(status) ? 0 : -ESRCH;
        }
        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        nanosleep(&pause, NULL);
    }
    return -ETIMEDOUT;
}

static void *trace(void *argument)
{
    struct look *look = argument;
    struct arch_registers registers;
    int signal = 0;

    /* While it is traced, its number cannot become another's; whose it is, the program has said. */
    if (ptrace(PTRACE_SEIZE, look->tid, NULL, NULL) != 0 ||
        !proc_has_thread(look->pid, look->tid)) {
        return NULL;
    }
    if (ptrace(PTRACE_INTERRUPT, look->tid, NULL, NULL) == 0 &&
        await_stop(look->tid, &signal) == 0) {
        if (arch_read_registers(look->tid, &registers) == 0) {
            look->stack_pointer = arch_stack_pointer(&registers);
        }
        ptrace(PTRACE_DETACH, look->tid, NULL, (void *)(intptr_t)signal);
    }
    return NULL;
}

uint64_t look_at_stack_pointer(int32_t pid, int32_t tid)
{
    struct look look = { .pid = pid, .tid = tid, .stack_pointer = read_waiting(pid, tid) };
    pthread_attr_t attributes;
    pthread_t thread;

    if (look.stack_pointer != 0 || pthread_attr_init(&attributes) != 0) {
        return look.stack_pointer;
    }
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    if (pthread_create(&thread, &attributes, trace, &look) == 0) {
        pthread_join(thread, NULL);
    }
    pthread_attr_destroy(&attributes);
    return look.stack_pointer;
}

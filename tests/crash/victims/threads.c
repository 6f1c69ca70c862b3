/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads, several crashing ones, and other threads that are in the middle of something. */
#include "tests/crash/victims/victim.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_barrier_t barrier;

static void *sleeper(void *unused)
{
    volatile char used[8192];

    memset((char *)used, 0x5a, sizeof(used));
    pthread_barrier_wait(&barrier);
    pause();
    return unused;
}

static void start(void *(*body)(void *))
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    if (pthread_create(&thread, &attributes, body, NULL) != 0) {
        cannot("pthread_create");
    }
    pthread_attr_destroy(&attributes);
}

static void crash_together(void)
{
    pthread_barrier_wait(&barrier);
    crash_here();
}

/* argument: how many sleep besides main and the one that crashes */
static void crash_among(const char *argument)
{
    long count = strtol(argument, NULL, 10);

    pthread_barrier_init(&barrier, NULL, (unsigned)count + 1);
    for (long i = 0; i < count; i++) {
        start(sleeper);
    }
    crash_in_thread(crash_together);
}

static void *crashing_body(void *unused)
{
    if (prepare_thread != NULL) {
        prepare_thread();
    }
    be_crasher();
    pthread_barrier_wait(&barrier);
    crash_here();
    return unused;
}

/* argument: how many crash at the same moment */
static void crash_at_once(const char *argument)
{
    long count = strtol(argument, NULL, 10);

    prctl(PR_SET_NAME, "waiter", 0, 0, 0);
    pthread_barrier_init(&barrier, NULL, (unsigned)count);
    for (long i = 0; i < count; i++) {
        start(crashing_body);
    }
    for (;;) {
        pause();
    }
}

static void wait_and_crash(void)
{
    const struct timespec moment = { 0, 50000000 };

    nanosleep(&moment, NULL);
    crash_here();
}

static void *waiting_body(void *unused)
{
    if (prepare_thread != NULL) {
        prepare_thread();
    }
    be_crasher();
    wait_and_crash();
    return unused;
}

static void crash_without_main(const char *unused)
{
    (void)unused;
    prctl(PR_SET_NAME, "waiter", 0, 0, 0);
    start(waiting_body);
    pthread_exit(NULL);
}

/* ---- another thread in vfork(), exit(), exec ---- */

static void *vfork_body(void *unused)
{
    const struct timespec long_time = { 60, 0 };

    if (vfork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        nanosleep(&long_time, NULL);
        _exit(0);
    }
    return unused;
}

static void crash_beside_vfork(const char *unused)
{
    (void)unused;
    start(vfork_body);
    wait_and_crash();
}

static void linger(void)
{
    pause();
}

static void crash_beside_exit(const char *unused)
{
    (void)unused;
    prctl(PR_SET_NAME, "waiter", 0, 0, 0);
    atexit(linger);
    start(waiting_body);
    exit(0);
}

/* An exec that succeeds ends all other threads; this one is forever about to. */
static void *exec_body(void *unused)
{
    static char *const arguments[] = { NULL };

    for (;;) {
        execve("/nonexistent/program", arguments, arguments);
    }
    return unused;
}

static void crash_beside_exec(const char *unused)
{
    (void)unused;
    start(exec_body);
    wait_and_crash();
}

/* ---- the whole process stopped, or traced ---- */

static void nap(long milliseconds)
{
    const struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

    nanosleep(&time, NULL);
}

/* A child stops and continues the victim all the time while it crashes, and then leaves it running.
 */
static void crash_while_stopped(const char *unused)
{
    pid_t victim = getpid();

    (void)unused;
    if (fork() == 0) {
        for (int i = 0; i < 20 && kill(victim, SIGSTOP) == 0; i++) {
            nap(5);
            kill(victim, SIGCONT);
            nap(1);
        }
        _exit(0);
    }
    nap(10);
    crash_here();
}

static void trace_to_the_end(pid_t victim, int ready)
{
    int status;

    if (ptrace(PTRACE_SEIZE, victim, NULL, NULL) != 0 || write(ready, "x", 1) != 1) {
        _exit(1);
    }
    while (waitpid(victim, &status, __WALL) == victim && WIFSTOPPED(status)) {
        int signal = status >> 16 == 0 ? WSTOPSIG(status) : 0;

        ptrace(PTRACE_CONT, victim, NULL, (void *)(long)signal);
    }
    _exit(0);
}

static void crash_traced(const char *unused)
{
    int ready[2];
    char byte;
    pid_t self = getpid();

    (void)unused;
    if (pipe(ready) != 0) {
        cannot("pipe");
    }
    if (fork() == 0) {
        close(ready[0]);
        trace_to_the_end(self, ready[1]);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) {
        cannot("ptrace");
    }
    crash_here();
}

const struct kind thread_kinds[] = {
    { "among", crash_among },
    { "at-once", crash_at_once },
    { "without-main", crash_without_main },
    { "beside-vfork", crash_beside_vfork },
    { "beside-exit", crash_beside_exit },
    { "beside-exec", crash_beside_exec },
    { "while-stopped", crash_while_stopped },
    { "traced", crash_traced },
    { NULL, NULL },
};

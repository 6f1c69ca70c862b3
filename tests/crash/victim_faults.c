/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of victim.h that crash by themselves: every signal, stacks, threads. */
#include "tests/crash/victim.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *volatile nowhere = (void *)16;

void victim_fault(void)
{
    *(volatile int *)nowhere = 1;
}

__attribute__((noinline)) static void crash_fpe(void)
{
    volatile int number = 7, zero = 0;

    number = number / zero;
}

static void crash_ill(void)
{
    __asm__ volatile("ud2");
}

static void crash_bus(void)
{
    int fd = memfd_create("short", MFD_CLOEXEC);
    volatile char *bytes = fd < 0 || ftruncate(fd, 1) != 0
                               ? MAP_FAILED
                               : mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (bytes != MAP_FAILED) {
        bytes[4096] = 1;
    }
}

void victim_trap(void)
{
    __asm__ volatile("int3");
    victim_say("went on after int3\n");
}

static void crash_sys(void)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* seccomp_data.nr */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { 4, instructions };

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
    syscall(SYS_getpriority, 0, 0);
    victim_say("went on after the refused system call\n");
}

__attribute__((noinline)) static int crash_overflow_by(volatile char *previous)
{
    volatile char frame[4096];

    frame[0] = previous[0];
    return frame[0] == 0 ? crash_overflow_by(frame) + frame[0] : 1;
}

static void crash_overflow(void)
{
    char first = 0;

    crash_overflow_by(&first);
}

static void *overflow_thread(void *unused)
{
    (void)unused;
    cairn_thread_start();
    crash_overflow();
    return NULL;
}

static void *null_thread(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "victim-thread");
    victim_fault();
    return NULL;
}

static void run_thread(void *(*body)(void *))
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, body, NULL) == 0) {
        pthread_join(thread, NULL);
    }
}

static void crash_overflow_thread(void)
{
    run_thread(overflow_thread);
}

static void crash_thread(void)
{
    run_thread(null_thread);
}

static pthread_barrier_t together;

static void *one_of_many(void *number)
{
    pthread_barrier_wait(&together);
    if (number == NULL) {
        abort();
    }
    victim_fault();
    return NULL;
}

/* Several threads at the same moment: one report, one true signal. */
static void crash_many(void)
{
    pthread_t threads[4];

    pthread_barrier_init(&together, NULL, 4);
    for (size_t i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, one_of_many, i == 0 ? NULL : threads);
    }
    pthread_join(threads[0], NULL);
    pause();
}

void victim_send(void)
{
    kill(getpid(), SIGSEGV);
    victim_say("went on after the signal\n");
}

const struct victim_kind victim_faults[] = {
    { "null", .run = victim_fault },
    { "abort", .run = abort },
    { "fpe", .run = crash_fpe },
    { "ill", .run = crash_ill },
    { "bus", .run = crash_bus },
    { "trap", .run = victim_trap },
    { "sys", .run = crash_sys },
    { "sent", .run = victim_send },
    { "overflow", .run = crash_overflow },
    { "overflow-thread", .run = crash_overflow_thread },
    { "thread", .run = crash_thread },
    { "many", .run = crash_many },
    { .name = NULL },
};

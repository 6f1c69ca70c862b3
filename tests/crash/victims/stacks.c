/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks that are deep, full, or not where the stack pointer says. */
#include "tests/crash/victims/victim.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <threads.h>

#define FRAME_BYTES 1024

__attribute__((noinline)) static int descend(volatile char *previous, long bytes)
{
    volatile char frame[FRAME_BYTES];

    frame[0] = previous[0];
    if (bytes <= 0) {
        crash_here();
        return 0;
    }
    return descend(frame, bytes - (long)sizeof(frame)) + frame[0];
}

/* argument: bytes, or "" for as much as the limit allows but the last 128 KiB */
static void crash_deep(const char *argument)
{
    struct rlimit limit;
    char first = 0;
    long bytes = strtol(argument, NULL, 10);

    if (bytes == 0) {
        if (getrlimit(RLIMIT_STACK, &limit) != 0) {
            cannot("getrlimit");
        }
        bytes = (limit.rlim_cur > 8 << 20 ? 8 << 20 : (long)limit.rlim_cur) - (128 << 10);
        bytes -= bytes / (FRAME_BYTES + 64) * 64; /* what a frame needs besides */
    }
    descend(&first, bytes);
}

static void *descend_in_thread(void *bytes)
{
    char first = 0;

    if (prepare_thread != NULL) {
        prepare_thread();
    }
    be_crasher();
    descend(&first, *(long *)bytes);
    return NULL;
}

/* argument: bytes of a stack that is larger by a half */
static void crash_deep_thread(const char *argument)
{
    long bytes = strtol(argument, NULL, 10);
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)bytes + (size_t)bytes / 2);
    if (pthread_create(&thread, &attributes, descend_in_thread, &bytes) != 0) {
        cannot("pthread_create");
    }
    pthread_join(thread, NULL);
}

__attribute__((noinline)) static int overflow(volatile char *previous)
{
    volatile char frame[4000];

    frame[0] = previous[0];
    return frame[0] == 0 ? overflow(frame) + frame[0] : 1;
}

static void overflow_here(void)
{
    char first = 0;

    overflow(&first);
}

static void crash_overflow(const char *unused)
{
    (void)unused;
    overflow_here();
}

static void crash_overflow_thread(const char *unused)
{
    (void)unused;
    crash_in_thread(overflow_here);
}

static int overflow_body(void *unused)
{
    (void)unused;
    if (prepare_thread != NULL) {
        prepare_thread();
    }
    be_crasher();
    overflow_here();
    return 0;
}

static void crash_overflow_c11(const char *unused)
{
    thrd_t thread;

    (void)unused;
    if (thrd_create(&thread, overflow_body, NULL) != thrd_success) {
        cannot("thrd_create");
    }
    thrd_join(thread, NULL);
}

__attribute__((noinline)) static void lose_stack(void)
{
    __asm__ volatile("mov $0x10, %%rsp\n\tpush %%rax" ::: "memory");
}

static void crash_lost(const char *unused)
{
    (void)unused;
    lose_stack();
}

static void crash_lost_thread(const char *unused)
{
    (void)unused;
    crash_in_thread(lose_stack);
}

const struct kind stack_kinds[] = {
    { "deep", crash_deep },
    { "deep-thread", crash_deep_thread },
    { "overflow", crash_overflow },
    { "overflow-thread", crash_overflow_thread },
    { "overflow-c11", crash_overflow_c11 },
    { "lost", crash_lost },
    { "lost-thread", crash_lost_thread },
    { NULL, NULL },
};

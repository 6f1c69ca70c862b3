/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that embeds Cairn and does nothing for its threads: linked with libcairn-threads each
 * of them survives to report that its stack overflowed, and leaves nothing.
 *
 *     threads_victim CONFIG KIND [COUNT]
 *
 * CONFIG "-": Cairn is not started. Every kind but "answers" and "count" (of more than 60 threads)
 * overflows a stack.
 */
#include "mappings.h" /* beside it: it is built as an outsider's program */

#include <cairn/cairn.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

static const char *config;

static void start(void)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[4096] = "";

    options.config_file = config;
    if (strcmp(config, "-") != 0 && cairn_start(&options, NULL, error, sizeof(error)) != 0) {
        fprintf(stderr, "%s\n", error);
        exit(2);
    }
}

__attribute__((noinline)) static int overflow(volatile char *previous)
{
    volatile char frame[4096];

    frame[0] = previous[0];
    return frame[0] == 0 ? overflow(frame) + frame[0] : 1;
}

__attribute__((noinline)) static void *thread_body(void *unused)
{
    char first = 0;

    return overflow(&first) != 0 ? unused : NULL;
}

static int thread_body_c11(void *unused)
{
    return thread_body(unused) != NULL;
}

static void destroy(void *value)
{
    thread_body(value);
}

static pthread_key_t key;

static void *leave_by_destructor(void *unused)
{
    pthread_setspecific(key, &key);
    pthread_exit(unused);
}

static sem_t started;

static void *wait_and_overflow(void *unused)
{
    while (sem_wait(&started) != 0) {
    }
    return thread_body(unused);
}

static void *start_elsewhere(void *unused)
{
    start();
    return unused;
}

static pthread_t make(void *(*routine)(void *))
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, routine, NULL) != 0) {
        perror("pthread_create");
        exit(2);
    }
    return thread;
}

static void pthread(void)
{
    start();
    pthread_join(make(thread_body), NULL);
}

static void c11(void)
{
    thrd_t thread;

    start();
    if (thrd_create(&thread, thread_body_c11, NULL) == thrd_success) {
        thrd_join(thread, NULL);
    }
}

/* A thread that is there before Cairn. */
static void early(void)
{
    pthread_t thread;

    sem_init(&started, 0, 0);
    thread = make(wait_and_overflow);
    start();
    sem_post(&started);
    pthread_join(thread, NULL);
}

static void restarted(void)
{
    start();
    cairn_stop(NULL);
    pthread();
}

/* The main thread, which has not called cairn_start(). */
static void elsewhere(void)
{
    pthread_join(make(start_elsewhere), NULL);
    thread_body(NULL);
}

static void destructor(void)
{
    start();
    pthread_key_create(&key, destroy);
    pthread_join(make(leave_by_destructor), NULL);
}

static void detached(void)
{
    start();
    pthread_detach(make(thread_body));
    pause();
}

/* A thread that a child of fork() makes. */
static void forked(void)
{
    int status = 0;
    pid_t child;

    start();
    child = fork();
    if (child == 0) {
        pthread_join(make(thread_body), NULL);
        _exit(0);
    }
    waitpid(child, &status, 0);
    exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : 0);
}

/* ---- what else there is to see ---- */

static void *end_by_return(void *unused)
{
    return unused;
}

static void *end_by_exit(void *unused)
{
    pthread_exit(unused);
}

static void *end_by_cancellation(void *unused)
{
    while (unused == NULL) {
        pause();
    }
    return unused;
}

/* As a program does that knows of Cairn's call, but not of the library. */
static void *end_after_calls(void *unused)
{
    cairn_thread_start();
    cairn_thread_stop();
    return unused;
}

static int end_c11(void *unused)
{
    return unused != NULL;
}

static void end_one(long number)
{
    static void *(*const ways[])(void *) = { end_by_return, end_by_exit, end_by_cancellation,
                                             end_after_calls, end_by_return };
    size_t way = (size_t)number % (sizeof(ways) / sizeof(ways[0]) + 1);
    pthread_attr_t attributes;
    pthread_t thread;
    thrd_t thread_c11;

    if (way == sizeof(ways) / sizeof(ways[0])) {
        thrd_create(&thread_c11, end_c11, NULL);
        thrd_join(thread_c11, NULL);
        return;
    }
    if (way == 4) {
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        while (pthread_create(&thread, &attributes, ways[way], NULL) == EAGAIN) {
            sched_yield(); /* those before are about to end */
        }
        pthread_attr_destroy(&attributes);
        return;
    }
    thread = make(ways[way]);
    if (way == 2) {
        pthread_cancel(thread);
    }
    pthread_join(thread, NULL);
}

static long wanted = 1000;

/* The detached ones end when they like: at the latest some seconds after the last was made. */
static void count(void)
{
    const struct timespec moment = { 0, 10000000 };
    long before = 0, now;

    start();
    for (long i = 0; i < wanted; i++) {
        if (i == 60) {
            before = mappings();
        }
        end_one(i);
    }
    for (int round = 0; (now = mappings()) > before + 8 && round < 1000; round++) {
        nanosleep(&moment, NULL);
    }
    printf("as many mappings as before: %s\n", now <= before + 8 ? "yes" : "no");
}

static void answer(const char *question, int yes)
{
    printf("%s: %s\n", question, yes ? "yes" : "no");
}

static int has_stack(void)
{
    stack_t now;

    return sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE) == 0;
}

/* Every thread looks at itself when it begins, and gives its argument back. */
static void *look(void *seen)
{
    *(int *)seen = has_stack();
    return seen;
}

static void *use_own(void *seen)
{
    static char own[1 << 16];
    stack_t stack = { .ss_sp = own, .ss_size = sizeof(own) }, now;

    sigaltstack(&stack, NULL);
    cairn_thread_start();
    *(int *)seen = sigaltstack(NULL, &now) == 0 && now.ss_sp == own;
    return seen;
}

static int look_c11(void *seen)
{
    *(int *)seen = has_stack();
    return 7;
}

static void answers(void)
{
    int seen = 0, result = 0;
    void *returned = NULL;
    pthread_t thread;
    thrd_t thread_c11;

    pthread_create(&thread, NULL, look, &seen);
    pthread_join(thread, &returned);
    answer("a thread has an alternate stack", seen && returned == &seen);
    thrd_create(&thread_c11, look_c11, &seen);
    thrd_join(thread_c11, &result);
    answer("... of C11", seen && result == 7);
    pthread_create(&thread, NULL, use_own, &seen);
    pthread_join(thread, NULL);
    answer("one that the program sets is its own", seen);
    answer("the main thread has one", has_stack());
    start();
    cairn_stop(NULL);
    answer("... and keeps it", has_stack());
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } kinds[] = { { "pthread", pthread },     { "c11", c11 },
                  { "early", early },         { "restarted", restarted },
                  { "elsewhere", elsewhere }, { "destructor", destructor },
                  { "detached", detached },   { "forked", forked },
                  { "count", count },         { "answers", answers } };

    for (size_t i = 0; argc > 2 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(argv[2], kinds[i].name) == 0) {
            config = argv[1];
            wanted = argc > 3 ? strtol(argv[3], NULL, 10) : wanted;
            kinds[i].run();
            return 0;
        }
    }
    fprintf(stderr, "usage: threads_victim CONFIG KIND [COUNT]\n");
    return 64;
}

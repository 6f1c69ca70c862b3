/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that knows nothing of Cairn, for the tests of the preload library: it does with signals
 * what programs do and prints what it was told.
 *
 *     preloaded KIND
 */
#include "tests/crash/mappings.h"

#include <asm/prctl.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

sighandler_t bsd_signal(int number, sighandler_t handler);

static void *volatile nowhere = (void *)16;

static void say(const char *text)
{
    ssize_t ignored = write(STDOUT_FILENO, text, strlen(text));

    (void)ignored;
}

__attribute__((noinline)) static void crash(void)
{
    *(volatile int *)nowhere = 1;
}

static void handler(int number)
{
    (void)number;
    say("handler\n");
}

static void restoring_handler(int number, siginfo_t *info, void *context)
{
    struct sigaction none = { .sa_handler = SIG_DFL };

    (void)context;
    say(info->si_addr == (void *)16 ? "handler with address\n" : "handler without address\n");
    sigaction(number, &none, NULL);
    raise(number);
}

static void said(int condition, const char *text)
{
    say(text);
    say(condition ? ": yes\n" : ": no\n");
}

/* What a program asks about its own handlers is answered as without Cairn. */
static void query(void)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART | SA_NODEFER }, old;

    sigaction(SIGSEGV, NULL, &old);
    said(old.sa_handler == SIG_DFL, "default at first");
    sigaddset(&action.sa_mask, SIGUSR1);
    sigaction(SIGSEGV, &action, &old);
    said(old.sa_handler == SIG_DFL, "default was before");
    sigaction(SIGSEGV, NULL, &old);
    old.sa_flags &= ~0x04000000; /* SA_RESTORER, which libc adds */
    said(old.sa_handler == handler && old.sa_flags == action.sa_flags &&
             sigismember(&old.sa_mask, SIGUSR1) && !sigismember(&old.sa_mask, SIGUSR2),
         "own handler, flags and mask");
    said(signal(SIGSEGV, SIG_IGN) == handler, "signal() returns it");
    said(sysv_signal(SIGSEGV, SIG_DFL) == SIG_IGN, "sysv_signal() too");
    said(bsd_signal(SIGBUS, handler) == SIG_DFL, "bsd_signal() of another");
    said(sigset(SIGBUS, SIG_HOLD) == handler && sigset(SIGBUS, SIG_DFL) == SIG_HOLD, "sigset()");
    said(signal(SIGUSR1, handler) == SIG_DFL && signal(SIGUSR1, handler) == handler,
         "a signal that is not Cairn's");
    raise(SIGUSR1);
    said(sigaction(SIGKILL, &action, NULL) != 0 && sigaction(32, &action, NULL) != 0 &&
             sigaction(65, &action, NULL) != 0 && sigaction(0, NULL, NULL) != 0,
         "refused signals");
}

static void stacks(void)
{
    static char own[1 << 16];
    stack_t stack = { .ss_sp = own, .ss_size = sizeof(own) }, none = { .ss_flags = SS_DISABLE };
    stack_t now;

    sigaltstack(NULL, &now);
    said(now.ss_flags == SS_DISABLE, "none at first");
    sigaltstack(&stack, &now);
    said(now.ss_flags == SS_DISABLE, "none was before");
    sigaltstack(NULL, &now);
    said(now.ss_sp == own && now.ss_size == sizeof(own) && now.ss_flags == 0, "own stack");
    sigaltstack(&none, &now);
    said(now.ss_sp == own, "own stack was before");
    sigaltstack(NULL, &now);
    said(now.ss_flags == SS_DISABLE, "none again");
}

static int blocks(int number)
{
    sigset_t now;

    pthread_sigmask(SIG_SETMASK, NULL, &now);
    return sigismember(&now, number);
}

static void *inherit(void *unused)
{
    said(blocks(SIGSEGV) && blocks(SIGTRAP) && !blocks(SIGUSR2), "a thread inherits the mask");
    return unused;
}

static int wait_for(sigset_t *set, int number)
{
    siginfo_t info;

    return sigwaitinfo(set, &info) == number && info.si_pid == getpid();
}

static void send_blocked(sigset_t *set)
{
    sigset_t now;

    kill(getpid(), SIGTRAP);
    said(wait_for(set, SIGTRAP), "sent to the process");
    raise(SIGTRAP);
    said(wait_for(set, SIGTRAP), "raised in the thread");
    raise(SIGTRAP);
    sigpending(&now);
    said(sigismember(&now, SIGTRAP) && blocks(SIGTRAP) && wait_for(set, SIGTRAP), "pending");
}

static void handle_with(const sigset_t *set)
{
    struct sigaction action = { .sa_handler = handler, .sa_mask = *set }, old;

    sigaction(SIGUSR2, &action, NULL);
    sigaction(SIGUSR2, NULL, &old);
    said(sigismember(&old.sa_mask, SIGSEGV) && sigismember(&old.sa_mask, SIGUSR1) &&
             !sigismember(&old.sa_mask, SIGBUS),
         "the mask of a handler");
}

/* What a program blocks is answered, and sent to it, as without Cairn. */
static void masks(void)
{
    sigset_t set, before;
    pthread_t thread;

    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigaddset(&set, SIGTRAP);
    sigaddset(&set, SIGUSR1);
    said(sigprocmask(SIG_BLOCK, &set, &before) == 0 && !sigismember(&before, SIGTRAP),
         "nothing was blocked");
    said(blocks(SIGSEGV) && blocks(SIGTRAP) && blocks(SIGUSR1) && !blocks(SIGBUS), "blocked");
    pthread_create(&thread, NULL, inherit, NULL);
    pthread_join(thread, NULL);
    send_blocked(&set);
    sigrelse(SIGTRAP);
    said(!blocks(SIGTRAP) && blocks(SIGSEGV), "released");
    sighold(SIGBUS);
    said(blocks(SIGBUS), "held");
    said(pthread_sigmask(99, &set, NULL) == EINVAL, "a bad request");
    sigemptyset(&before);
    sigaddset(&before, SIGTRAP);
    said(sigprocmask(SIG_SETMASK, &before, NULL) == 0 && !blocks(SIGSEGV) && blocks(SIGTRAP),
         "another mask");
    handle_with(&set);
}

static volatile sig_atomic_t struck;

static void count(int number)
{
    (void)number;
    struck++;
}

/* Blocked all the time, but in waits: there it strikes, and afterwards all is as before. */
static void waits(void)
{
    const struct timespec moment = { 5, 0 };
    sigset_t set, open;

    signal(SIGTRAP, count);
    sigemptyset(&open);
    sigemptyset(&set);
    sigaddset(&set, SIGTRAP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGTRAP);
    said(struck == 0 && sigsuspend(&open) == -1 && errno == EINTR && struck == 1, "sigsuspend");
    raise(SIGTRAP);
    said(struck == 1 && ppoll(NULL, 0, &moment, &open) == -1 && struck == 2, "ppoll");
    raise(SIGTRAP);
    said(struck == 2 && pselect(0, NULL, NULL, NULL, &moment, &open) == -1 && struck == 3,
         "pselect");
    said(ppoll(NULL, 0, &(struct timespec){ 0, 1 }, NULL) == 0 && blocks(SIGTRAP), "no mask");
    raise(SIGTRAP);
    said(struck == 3 && wait_for(&set, SIGTRAP), "blocked afterwards");
}

static void *return_at_once(void *unused)
{
    return unused;
}

static void *exit_at_once(void *unused)
{
    pthread_exit(unused);
}

/* Threads come and go, and leave nothing: neither by their end nor by pthread_exit(). */
static void threads(const char *wanted)
{
    long before = 0, count = wanted != NULL ? strtol(wanted, NULL, 10) : 1000;

    for (long i = 0; i < count; i++) {
        pthread_t thread;

        if (i == 100) {
            before = mappings();
        }
        if (pthread_create(&thread, NULL, i % 2 ? return_at_once : exit_at_once, NULL) != 0) {
            say("a thread cannot be made\n");
        }
        pthread_join(thread, NULL);
    }
    said(mappings() <= before + 2, "as many mappings as before");
}

static void list_environment(void)
{
    extern char **environ;

    for (char **variable = environ; *variable != NULL; variable++) {
        if (strncmp(*variable, "LD_PRELOAD=", 11) == 0 ||
            strncmp(*variable, "CAIRN_RUN_", 10) == 0) {
            say(*variable);
            say("\n");
        }
    }
}

__attribute__((noinline)) static int overflow(volatile char *previous)
{
    volatile char frame[4096];

    frame[0] = previous[0];
    return frame[0] == 0 ? overflow(frame) + frame[0] : 1;
}

/* A thread that libc knows nothing of has no thread-local variables, nor an address of them. */
static void crash_bare(void)
{
    syscall(SYS_arch_prctl, ARCH_SET_FS, 0);
    crash();
}

static void crash_overflow(void)
{
    char first = 0;

    stacks();
    overflow(&first);
}

static void crash_handled(void)
{
    signal(SIGSEGV, handler);
    crash();
}

static void crash_restoring(void)
{
    struct sigaction action = { .sa_sigaction = restoring_handler,
                                .sa_flags = SA_SIGINFO | (int)SA_RESETHAND | SA_NODEFER };

    sigaction(SIGSEGV, &action, NULL);
    crash();
}

static const struct {
    const char *name;
    void (*run)(void);
} kinds[] = {
    { "query", query },
    { "stacks", stacks },
    { "masks", masks },
    { "waits", waits },
    { "environment", list_environment },
    { "overflow", crash_overflow },
    { "handler", crash_handled },
    { "restoring", crash_restoring },
    { "crash", crash },
    { "bare", crash_bare },
    { "abort", abort },
};

int main(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "";

    if (strcmp(kind, "threads") == 0) {
        threads(argv[2]);
        return 0;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, kind) == 0) {
            kinds[i].run();
            return 0;
        }
    }
    fprintf(stderr, "usage: preloaded KIND\n");
    return 64;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that are blocked, sent from outside, or being handled when the crash comes. */
#include "tests/crash/victims/victim.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

static void crash_blocked(const char *unused)
{
    sigset_t all;

    (void)unused;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    crash_here();
}

static void block_and_crash(void)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    crash_here();
}

static void crash_blocked_thread(const char *unused)
{
    (void)unused;
    crash_in_thread(block_and_crash);
}

/* The matrix sends a signal once it has read the line. */
static void wait_for_signal(const char *unused)
{
    (void)unused;
    say("ready\n");
    for (;;) {
        pause();
    }
}

static void crash_in_handler(int signal)
{
    (void)signal;
    crash_here();
}

/* argument: "blocked" for a handler during which all other signals are blocked */
static void crash_handling(const char *argument)
{
    struct sigaction action = { .sa_handler = crash_in_handler };

    if (argument[0] != '\0') {
        sigfillset(&action.sa_mask);
    }
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

/* argument: by which function it waits for the signal, in whose handler it crashes; all others are
 * blocked during the wait only */
static void crash_waiting(const char *argument)
{
    const struct sigaction action = { .sa_handler = crash_in_handler };
    sigset_t others, one;

    sigfillset(&others);
    sigdelset(&others, SIGUSR1);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    sigprocmask(SIG_BLOCK, &one, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    if (strcmp(argument, "ppoll") == 0) {
        ppoll(NULL, 0, NULL, &others);
    } else if (strcmp(argument, "pselect") == 0) {
        pselect(0, NULL, NULL, NULL, NULL, &others);
    } else if (strcmp(argument, "epoll") == 0) {
        struct epoll_event event;

        epoll_pwait(epoll_create1(0), &event, 1, -1, &others);
    } else {
        sigsuspend(&others);
    }
}

/* A handler on an alternate stack that lies in the heap, in a thread or in main. */
static void handle_elsewhere(void)
{
    const stack_t stack = { .ss_sp = malloc(65536), .ss_size = 65536 };
    struct sigaction action = { .sa_handler = crash_in_handler, .sa_flags = SA_ONSTACK };

    if (stack.ss_sp == NULL || sigaltstack(&stack, NULL) != 0) {
        cannot("sigaltstack");
    }
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

/* argument: "thread", or "" for main */
static void crash_handling_elsewhere(const char *argument)
{
    if (argument[0] != '\0') {
        crash_in_thread(handle_elsewhere);
    }
    handle_elsewhere();
}

const struct kind signal_kinds[] = {
    { "blocked", crash_blocked },
    { "blocked-thread", crash_blocked_thread },
    { "wait", wait_for_signal },
    { "in-handler", crash_handling },
    { "in-wait", crash_waiting },
    { "in-handler-elsewhere", crash_handling_elsewhere },
    { NULL, NULL },
};

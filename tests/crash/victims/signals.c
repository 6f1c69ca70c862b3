/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that are blocked, sent from outside, or being handled when the crash comes. */
#include "tests/crash/victims/victim.h"

#include <pthread.h>
#include <signal.h>
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

const struct kind signal_kinds[] = {
    { "blocked", crash_blocked },
    { "blocked-thread", crash_blocked_thread },
    { "wait", wait_for_signal },
    { "in-handler", crash_handling },
    { NULL, NULL },
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One poll(2) for all: announcements, the program's end, signals, engines. Without a timeout unless
 * an engine is at work or a signal is being held back. Runs in the monitor.
 */
#include "core/monitor/watch.h"

#include "core/monitor/clock.h"
#include "core/monitor/crash.h"
#include "core/monitor/death.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum watched { WATCHED_ANNOUNCE = 0, WATCHED_PROGRAM = 1, WATCHED_SIGNALS = 2, WATCHED_COUNT = 3 };

/* Why the monitor is going to end. */
struct ending {
    bool program_gone; /* nothing can be announced any more */
    bool stopped;      /* by cairn_stop(), or the program has become another one */
    bool alone;        /* none of its fork children is left to be served */
    bool signalled;    /* SIGTERM and its kin */
};

int watch_block_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    /* Replaces the mask: the program's own was inherited. */
    if (sigprocmask(SIG_SETMASK, &signals, NULL) != 0) {
        return -errno;
    }
    int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static void take_signals(int fd, struct ending *ending)
{
    struct signalfd_siginfo information;

    while (read(fd, &information, sizeof(information)) == (ssize_t)sizeof(information)) {
        ending->signalled = true;
    }
}

/* The minidumps that found no engine free get one for all of them, once there is room. */
static void catch_up(struct monitor *monitor)
{
    struct engine engine;
    uint64_t deadline;

    if (!monitor->postponed || !jobs_are_idle(&monitor->jobs)) {
        return;
    }
    monitor->postponed = false;
    if (monitor_recover(monitor, &engine, &deadline) == 0) {
        jobs_add(&monitor->jobs, &engine, "", deadline);
    }
}

static bool is_over(const struct monitor *monitor, const struct ending *ending)
{
    bool on_disk = __atomic_load_n(&monitor->syncing, __ATOMIC_ACQUIRE) == 0;

    if (ending->signalled) { /* engines go on by themselves */
        return (jobs_are_decided(&monitor->jobs) && queue_is_empty(&monitor->queue) && on_disk &&
                !monitor->provisional.open) ||
               clock_now() >= monitor->shield_until;
    }
    return ending->alone && !monitor->provisional.open && jobs_are_idle(&monitor->jobs) &&
           queue_is_empty(&monitor->queue) && on_disk;
}

static bool is_alone(struct monitor *monitor, const struct ending *ending)
{
    return (ending->program_gone || ending->stopped) &&
           ((monitor->plan.children & PAGE_CHILDREN_OF_FORK) == 0 ||
            !family_lives(&monitor->family));
}

static uint64_t next_deadline(const struct monitor *monitor, const struct ending *ending)
{
    uint64_t deadline = jobs_deadline(&monitor->jobs), asking = queue_deadline(&monitor->queue);
    uint64_t look = provisional_deadline(&monitor->provisional);

    deadline = asking < deadline ? asking : deadline;
    deadline = look < deadline ? look : deadline;
    return ending->signalled && monitor->shield_until < deadline ? monitor->shield_until : deadline;
}

/* What was announced, and then the program's end, if it has come. That is asked behind the signals:
 * who ends a program's service sends them after its end, and then the death counts. */
static void take_end(struct monitor *monitor, struct ending *ending)
{
    bool gone = ending->program_gone;

    ending->program_gone = gone || end_has_come(monitor->program);
    /* After the program's end too: a crash that was announced and not captured is told to the log.
     */
    crash_look(monitor);
    ending->stopped = ending->stopped ||
                      __atomic_load_n(&monitor->page->stopping, __ATOMIC_ACQUIRE) != 0 ||
                      family_is_replaced(&monitor->family);
    provisional_work(monitor, ending->program_gone || ending->stopped);
    if (ending->program_gone && !gone && !ending->stopped) {
        death_look(monitor, ending->signalled);
    }
}

/* Waits for the next thing to happen, and takes it. */
static void wait_and_take(struct monitor *monitor, struct ending *ending)
{
    struct pollfd polled[WATCHED_COUNT + JOBS_POLL_MAX] = {
        [WATCHED_ANNOUNCE] = { .fd = monitor->announce.fd, .events = POLLIN },
        [WATCHED_PROGRAM] = { .fd = ending->program_gone ? -1 : monitor->program,
                              .events = POLLIN },
        [WATCHED_SIGNALS] = { .fd = monitor->signals, .events = POLLIN },
    };
    nfds_t count = WATCHED_COUNT + jobs_poll(&monitor->jobs, polled + WATCHED_COUNT);

    if (poll(polled, count, clock_poll_timeout(next_deadline(monitor, ending))) < 0) {
        return; /* EINTR; or no memory for a moment, and then the next call waits again */
    }
    if (polled[WATCHED_ANNOUNCE].revents != 0) {
        announce_take(&monitor->announce);
    }
    take_signals(monitor->signals, ending);
    take_end(monitor, ending);
    monitor->postponed =
        reserve_is_new(&monitor->reserve, ending->program_gone) || monitor->postponed;
    ending->alone = is_alone(monitor, ending);
    jobs_work(&monitor->jobs);
    queue_work(monitor);
    catch_up(monitor);
}

void watch_run(struct monitor *monitor)
{
    struct ending ending = { 0 };

    do {
        while (!is_over(monitor, &ending)) {
            wait_and_take(monitor, &ending);
        }
        page_answer_gone(monitor->page);
        /* Who claimed before he could see that is still served. */
        crash_look(monitor);
        provisional_work(monitor, true);
    } while (!is_over(monitor, &ending));
    if (ending.program_gone || ending.stopped) {
        reserve_finish(&monitor->reserve, monitor->log.folder);
    }
}

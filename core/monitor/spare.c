/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spare; see spare.h. It has the monitor's lock on the report's folder, because both have the
 * same open file: nobody else can touch the report while one of them lives. A timer of the kernel
 * ends it whatever happens. Runs in the monitor and its copy.
 */
#include "core/monitor/spare.h"

#include "core/monitor/clock.h"
#include "core/util/fault.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS     250
#define PATIENCE_NS (2 * CLOCK_SECOND) /* for a monitor that writes nothing */
#define LIFE_S      60                 /* while it waits, and besides its engine's time */
#define GONE_MS     100                /* for a killed one to be gone */

static uint64_t bytes_written(int file)
{
    struct stat status;

    return fstat(file, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* By its descriptor, because a number may be another process's by now; without one, it is our
 * parent that has not been waited for. */
static void end_monitor(int pidfd, pid_t monitor)
{
    if (pidfd < 0 || syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) != 0) {
        kill(monitor, SIGKILL);
    }
}

static void await_end(pid_t monitor, int file)
{
    struct pollfd ended = { (int)syscall(SYS_pidfd_open, monitor, 0), POLLIN, 0 };
    uint64_t written = bytes_written(file), since = clock_now();

    while (getppid() == monitor) {
        uint64_t now = bytes_written(file);
        if (now != written) {
            written = now;
            since = clock_now();
        } else if (clock_now() - since >= PATIENCE_NS) {
            end_monitor(ended.fd, monitor);
        }
        poll(&ended, 1, LOOK_MS);
    }
    if (ended.fd >= 0) {
        close(ended.fd);
    }
}

pid_t spare_fork(int file)
{
    pid_t monitor = getpid(), pid = fork();

    if (pid < 0) {
        return -errno;
    }
    if (pid == 0) {
        alarm(LIFE_S);
        prctl(PR_SET_NAME, "cairn-spare");
        fault_point("spare.begun");
        await_end(monitor, file);
        fault_point("spare.woken");
    }
    return pid;
}

/* A program may have children that crash again and again: not a zombie is left of each. One that is
 * not gone by then is collected by whoever collects the monitor. */
void spare_dismiss(pid_t spare)
{
    struct pollfd gone = { .events = POLLIN };

    if (spare <= 0) {
        return;
    }
    gone.fd = (int)syscall(SYS_pidfd_open, spare, 0);
    kill(spare, SIGKILL);
    poll(&gone, 1, GONE_MS);
    waitpid(spare, NULL, WNOHANG);
    if (gone.fd >= 0) {
        close(gone.fd);
    }
}

_Noreturn void spare_recover(struct monitor *monitor)
{
    struct engine engine;
    uint64_t deadline;

    if (monitor_recover(monitor, &engine, &deadline) == 0) {
        alarm((unsigned)((deadline - clock_now()) / CLOCK_SECOND) + LIFE_S);
        engine_collect(&engine, deadline);
    }
    _exit(0);
}

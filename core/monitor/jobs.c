/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches engines. An engine that outlives its deadline is killed with its process group: it has
 * deadlines of its own for all that it does, so then it hangs. Runs in the monitor.
 */
#include "core/monitor/jobs.h"

#include "core/monitor/clock.h"
#include "core/monitor/end.h"
#include "core/util/fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct job *jobs_add(struct jobs *jobs, const struct engine *engine, const char *id,
                     uint64_t deadline)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        struct job *job = &jobs->items[i];
        if (job->engine.pid == 0) {
            *job = (struct job){ .engine = *engine, .deadline = deadline };
            snprintf(job->id, sizeof(job->id), "%s", id);
            return job;
        }
    }
    return NULL;
}

bool jobs_have_room(const struct jobs *jobs)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (jobs->items[i].engine.pid == 0) {
            return true;
        }
    }
    return false;
}

bool jobs_are_idle(const struct jobs *jobs)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (jobs->items[i].engine.pid != 0) {
            return false;
        }
    }
    return true;
}

bool jobs_are_decided(const struct jobs *jobs)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        const struct job *job = &jobs->items[i];
        if (job->engine.pid != 0 && job->id[0] != '\0' && job->outcome == JOB_UNKNOWN) {
            return false;
        }
    }
    return true;
}

nfds_t jobs_poll(const struct jobs *jobs, struct pollfd ret_polled[JOBS_POLL_MAX])
{
    nfds_t count = 0;

    for (size_t i = 0; i < JOBS_MAX; i++) {
        const struct job *job = &jobs->items[i];
        if (job->engine.pid != 0) {
            ret_polled[count++] = (struct pollfd){ .fd = job->engine.pidfd, .events = POLLIN };
            ret_polled[count++] = (struct pollfd){ .fd = job->engine.output, .events = POLLIN };
        }
    }
    return count;
}

uint64_t jobs_deadline(const struct jobs *jobs)
{
    uint64_t deadline = CLOCK_NEVER;

    for (size_t i = 0; i < JOBS_MAX; i++) {
        const struct job *job = &jobs->items[i];
        if (job->engine.pid != 0 && job->deadline < deadline) {
            deadline = job->deadline;
        }
    }
    return deadline;
}

/* The first line decides; what follows is read and forgotten. */
static void take_text(struct job *job, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes && job->outcome == JOB_UNKNOWN; i++) {
        if (text[i] != '\n' && job->line_bytes < sizeof(job->line) - 1) {
            job->line[job->line_bytes++] = text[i];
            continue;
        }
        job->line[job->line_bytes] = '\0';
        if (strncmp(job->line, "committed", strlen("committed")) == 0) {
            job->outcome = JOB_COMMITTED;
        } else if (strcmp(job->line, "dropped") == 0) {
            job->outcome = JOB_DROPPED;
        }
        job->line_bytes = 0;
    }
    if (job->outcome != JOB_UNKNOWN) {
        fault_point("monitor.committed");
    }
}

/* Only so often that an engine which prints without end is not listened to without end. */
static void read_output(struct job *job)
{
    char text[256];

    for (unsigned i = 0; i < 64 && job->engine.output >= 0; i++) {
        ssize_t got = read(job->engine.output, text, sizeof(text));
        if (got > 0) {
            take_text(job, text, (size_t)got);
        } else if (got < 0 && errno == EAGAIN) {
            return;
        } else if (got == 0 || errno != EINTR) {
            close(job->engine.output);
            job->engine.output = -1; /* poll(2) skips it */
        }
    }
}

static void log_failure(const struct log *log, const struct job *job, bool overdue, int status)
{
    char how[64];

    if (overdue) {
        snprintf(how, sizeof(how), "it was overdue and ended");
    } else if (WIFSIGNALED(status)) {
        snprintf(how, sizeof(how), "signal %d", WTERMSIG(status));
    } else {
        snprintf(how, sizeof(how), "exit status %d", WEXITSTATUS(status));
    }
    log_error(log,
              "cairn-engine did not finish the report %s (%s); its minidump stays in incoming for "
              "the next Cairn process.",
              job->id, how);
}

/* Frees the place. */
static void end_job(struct jobs *jobs, struct job *job, bool overdue)
{
    int status = engine_collect(&job->engine, overdue ? 0 : CLOCK_NEVER);

    if (job->outcome == JOB_UNKNOWN) {
        job->outcome = JOB_FAILED;
        if (job->id[0] != '\0') {
            log_failure(jobs->log, job, overdue, status);
        }
    }
    job->engine.pid = 0;
}

static void work_on(struct jobs *jobs, struct job *job)
{
    bool ended = end_has_come(job->engine.pidfd); /* asked first, so that its last words are read */
    bool overdue = !ended && clock_now() >= job->deadline;

    read_output(job);
    if (ended || overdue) {
        end_job(jobs, job, overdue);
    }
}

void jobs_work(struct jobs *jobs)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (jobs->items[i].engine.pid != 0) {
            work_on(jobs, &jobs->items[i]);
        }
    }
}

enum job_outcome jobs_wait(struct jobs *jobs, struct job *job, bool until_end)
{
    while (job->engine.pid != 0 && (until_end || job->outcome == JOB_UNKNOWN)) {
        struct pollfd polled[2] = {
            { .fd = job->engine.pidfd, .events = POLLIN },
            { .fd = job->engine.output, .events = POLLIN },
        };
        if (poll(polled, 2, clock_poll_timeout(job->deadline)) < 0 && errno != EINTR) {
            break;
        }
        work_on(jobs, job);
    }
    return job->outcome;
}

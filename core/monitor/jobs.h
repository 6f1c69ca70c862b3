/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engines at work on reports, a few at most: what they answer, when they are overdue, how they
 * end.
 */
#ifndef CAIRN_CORE_MONITOR_JOBS_H
#define CAIRN_CORE_MONITOR_JOBS_H

#include "core/monitor/engine.h"
#include "core/monitor/log.h"
#include "core/monitor/uuid.h"

#include <poll.h>
#include <stdint.h>

#define JOBS_MAX      4
#define JOBS_POLL_MAX (2 * JOBS_MAX)

enum job_outcome {
    JOB_UNKNOWN = 0,
    JOB_COMMITTED = 1, /* the report is in the spool */
    JOB_DROPPED = 2,   /* a filter did not want it */
    JOB_FAILED = 3,    /* the engine ended without either; the minidump stays in incoming */
};

struct job {
    struct engine engine; /* pid 0: a free place */
    uint64_t deadline;
    enum job_outcome outcome;
    char line[48]; /* what it has printed so far */
    size_t line_bytes;
    char id[UUID_TEXT_BYTES]; /* "": a recovery, which answers nothing */
};

struct jobs {
    struct job items[JOBS_MAX];
    const struct log *log;
};

/* Puts an engine under watch; NULL when there is no place (jobs_have_room() tells before). */
struct job *jobs_add(struct jobs *jobs, const struct engine *engine, const char *id,
                     uint64_t deadline);
bool jobs_have_room(const struct jobs *jobs);

/* No engine runs; no report's outcome is open. */
bool jobs_are_idle(const struct jobs *jobs);
bool jobs_are_decided(const struct jobs *jobs);

/* What to poll for, and until when; then jobs_work() takes what came. */
nfds_t jobs_poll(const struct jobs *jobs, struct pollfd ret_polled[JOBS_POLL_MAX]);
uint64_t jobs_deadline(const struct jobs *jobs);
void jobs_work(struct jobs *jobs);

/* Waits until the job's outcome is known or, with `until_end`, its engine has ended; but not beyond
 * its deadline. The job is gone when its engine has ended. */
enum job_outcome jobs_wait(struct jobs *jobs, struct job *job, bool until_end);

#endif

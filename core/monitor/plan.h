/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: what the monitor must know of the configuration. It is the text that
 * `cairn-engine check --plan` prints, read strictly: every key once, nothing else, all within
 * bounds. Runs in the monitor.
 */
#ifndef CAIRN_CORE_MONITOR_PLAN_H
#define CAIRN_CORE_MONITOR_PLAN_H

#include <stddef.h>
#include <stdint.h>

#define PLAN_TEXT_BYTES   4096 /* of the longest plan that is accepted */
#define PLAN_FOLDER_BYTES 960  /* so that "/incoming/<id>/capture.dmp" fits PAGE_PATH_BYTES */

/* Which ends without a crash are reported: bits of plan.deaths. */
enum plan_death {
    PLAN_KILLED = 1u << 0,    /* by SIGKILL, or by one of `signals` that no handler has seen */
    PLAN_SIGNALLED = 1u << 1, /* by any other signal */
    PLAN_EXIT = 1u << 2,      /* with a status other than 0 */
    PLAN_UNKNOWN = 1u << 3,   /* nothing tells how */
};

struct plan {
    uint64_t signals; /* bit n-1 = signal n */
    uint32_t claim_ms, hold_ms, pipeline_ms;
    uint32_t children; /* PAGE_CHILDREN_OF_FORK, … */
    uint32_t memory;   /* enum capture_memory */
    uint32_t classes;  /* CAPTURE_COMMAND_LINE, … */
    uint32_t deaths;   /* PLAN_KILLED, … */
    uint64_t max_bytes;
    uint32_t engines;                           /* at work at the same time, in the whole spool */
    char application_folder[PLAN_FOLDER_BYTES]; /* absolute */
};

/* Reads `bytes` of text. 0, or -EINVAL with a whole sentence in `ret_problem`. */
int plan_parse(const char *text, size_t bytes, struct plan *ret_plan, char *ret_problem,
               size_t problem_capacity);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of one monitor process: the program that it watches, the plan, the engines at work.
 * Lives in main() and is handed to everything.
 */
#ifndef CAIRN_CORE_MONITOR_MONITOR_H
#define CAIRN_CORE_MONITOR_MONITOR_H

#include "core/monitor/announce.h"
#include "core/monitor/captor.h"
#include "core/monitor/cgroup.h"
#include "core/monitor/engine.h"
#include "core/monitor/family.h"
#include "core/monitor/identity.h"
#include "core/monitor/jobs.h"
#include "core/monitor/log.h"
#include "core/monitor/page.h"
#include "core/monitor/plan.h"
#include "core/monitor/provisional.h"
#include "core/monitor/queue.h"
#include "core/monitor/reserve.h"

/* Exit codes, as doc/architecture.md names them. */
enum monitor_exit {
    MONITOR_DONE = 0,
    MONITOR_USAGE = 64,
    MONITOR_FORMAT = 65,
    MONITOR_NO_INPUT = 66,
    MONITOR_FAILED = 70,
    MONITOR_SYSTEM = 71,
    MONITOR_NO_OUTPUT = 73,
    MONITOR_NOT_PERMITTED = 77,
    MONITOR_PROBLEMS = 78,
};

struct monitor {
    struct page *page;
    int32_t pid;                     /* the program */
    int program;                     /* its pidfd */
    uint64_t born;                   /* when it started, see identity.h; 0: unknown */
    char first_stat[IDENTITY_BYTES]; /* /proc/PID/stat as it was at the start */
    struct cgroup cgroup;            /* the program's, at its start */
    int signals;                     /* signalfd of SIGTERM and its kin */
    struct announce announce;
    struct captor captor;
    struct family family;
    struct engine_settings settings;
    struct plan plan;
    struct log log; /* its folder is the application's */
    struct jobs jobs;
    struct engine check; /* that was begun by libcairn; its pid 0: none */
    struct queue queue;
    struct reserve reserve;
    struct provisional provisional;
    uint32_t syncing;      /* minidumps on their way to the disk; atomic */
    bool postponed;        /* a minidump waits for an engine that could not be started */
    uint64_t shield_until; /* signals that would end the monitor wait until then */
};

/* The life of a monitor whose page is mapped and whose `program` is open. */
enum monitor_exit monitor_run(struct monitor *monitor);

/* Opens the folder of the plan and keeps it. 0 or a negative errno. */
int monitor_open_folder(struct monitor *monitor);

/* Starts an engine that finishes what lies in incoming/, and says by when it has to be done. 0, or
 * a negative errno after having logged it. */
int monitor_recover(struct monitor *monitor, struct engine *ret_engine, uint64_t *ret_deadline);

/* The path of a process's executable. 0 or a negative errno: -ENOENT when it has none (any more).
 */
int monitor_read_executable(int32_t pid, char *ret_path, size_t capacity);

#endif

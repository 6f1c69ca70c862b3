/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report of an end that nobody could catch: by SIGKILL, for want of memory, by a signal that
 * was blocked. What is left of the program is what it wrote into the shared page, what the kernel
 * keeps of a process that has ended, and what its control group counts. Runs in the monitor.
 */
#ifndef CAIRN_CORE_MONITOR_DEATH_H
#define CAIRN_CORE_MONITOR_DEATH_H

#include "core/crash/records.h"
#include "core/monitor/cgroup.h"
#include "core/monitor/end.h"
#include "core/monitor/monitor.h"

struct death {
    struct end end;
    struct cgroup_facts cgroup;
    uint64_t uptime_ns; /* 0: not known */
    bool left_by_exit;  /* exit() was called: its handlers have run, or begun to */
    bool out_of_memory; /* the kernel's OOM killer did it, as far as can be told */
};

/* Once, when the program has ended and its slots have been looked at. `stopping`: somebody is
 * ending all that runs here, the monitor too. */
void death_look(struct monitor *monitor, bool stopping);

/* What is known of the program's end, which has been seen. */
void death_find_out(const struct monitor *monitor, struct death *ret_death);

/* Adds to the records of a dump what is known of the death. */
void death_add_records(const struct death *death, struct crash_records *records);

/* What ended the program, in words; cut to `capacity`. */
void death_explain(const struct death *death, char *ret_text, size_t capacity);

#endif

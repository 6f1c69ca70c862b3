/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory controller of a program's control group, of either version: what it counted when the
 * program started, and what it says when the program has ended. A folder's descriptor is kept, so
 * that it is the same group then. Runs in the monitor; its files are the kernel's, and bounded all
 * the same.
 */
#ifndef CAIRN_CORE_MONITOR_CGROUP_H
#define CAIRN_CORE_MONITOR_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CGROUP_PATH_BYTES 512

struct cgroup {
    int folder;         /* -1: there is no memory controller, or it was not found */
    uint32_t version;   /* 1 or 2 */
    uint64_t oom_kills; /* at the start: processes that the kernel killed for want of memory */
    uint64_t machine_oom_kills;
};

/* What is known at the end; a number that is not there is CGROUP_NONE. */
#define CGROUP_NONE UINT64_MAX

struct cgroup_facts {
    uint64_t current, peak, limit; /* bytes; no limit: CGROUP_NONE */
    uint64_t oom_kills;            /* since the start, in the group */
    uint64_t machine_oom_kills;    /* since the start, on the machine */
};

/* The group that `pid` is in now. */
void cgroup_open(int32_t pid, struct cgroup *ret_cgroup);

void cgroup_read(const struct cgroup *cgroup, struct cgroup_facts *ret_facts);

/* The path of the memory controller's group out of the text of /proc/PID/cgroup: version 1 where
 * the controller is there, else version 2. 0 without one, else the version. */
uint32_t cgroup_parse_path(const char *text, char ret_path[CGROUP_PATH_BYTES]);

/* The number behind `key` and a blank at the start of a line; of a text that is nothing but a
 * number with the key "". False when there is none. */
bool cgroup_parse_number(const char *text, const char *key, uint64_t *ret_number);

#endif

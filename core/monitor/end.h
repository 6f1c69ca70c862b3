/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a process ended that is nobody's child here. The kernel tells from Linux 6.15 on
 * (PIDFD_GET_INFO, once the process has been collected), before that only as long as it has not
 * been, and only those who may trace it: /proc/PID/stat. Otherwise the program's own mark in the
 * shared page is all there is, or the collection is waited for, for half a second. Runs in the
 * monitor.
 */
#ifndef CAIRN_CORE_MONITOR_END_H
#define CAIRN_CORE_MONITOR_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum end_how {
    END_UNKNOWN = 0, /* nothing tells */
    END_EXITED = 1,  /* `status` */
    END_SIGNALLED = 2,
};

struct end {
    enum end_how how;
    int status;  /* 0 to 255 */
    int signal;  /* 0: none */
    bool dumped; /* the kernel has written a core */
};

/* Whether the process behind `pidfd` has ended. */
bool end_has_come(int pidfd);

/* The end of the process behind `pidfd`, which has been seen to have ended. `born`: as of
 * identity.h, so that no other process of that number is asked. `mark`: page.exited. */
struct end end_read(int pidfd, int32_t pid, uint64_t born, uint32_t mark);

/* Whether /proc may be asked about it: false for tests that stand for a process which was collected
 * at once. */
bool end_may_look(void);

/* A wait status as the kernel keeps it. */
struct end end_of_status(int status);

/* The last field of /proc/PID/stat, of a process that has ended and was started at `born` (0: not
 * known). False when it is another one, still runs, or the text is not whole. */
bool end_parse_stat(const char *text, size_t bytes, uint64_t born, int *ret_status);

#endif

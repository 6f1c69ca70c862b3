/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the program still has the shared page: its mapping goes with an exec, which nothing else
 * tells. A lock belongs to an opening of a file, and a mapping keeps its opening: so one that is
 * taken on the program's lasts as long as the mapping. A parked thread waits for it, asleep all the
 * time. Runs in the monitor.
 */
#ifndef CAIRN_CORE_MONITOR_MAPPING_H
#define CAIRN_CORE_MONITOR_MAPPING_H

#include "core/monitor/announce.h"

#include <stdbool.h>
#include <stdint.h>

struct mapping {
    const struct announce *announce; /* is woken once the mapping is gone */
    int file;                        /* the page's, opened anew; -1: it cannot be told */
    int32_t pid;                     /* the program */
    uint32_t gone;                   /* atomic: the process went on without it */
};

/* Before the page is mapped: locks the program's opening of it, `*page_fd`, and replaces that by
 * another one, so that our own mapping does not keep the lock. Without /proc nothing changes. */
void mapping_begin(struct mapping *mapping, int *page_fd);

/* Without it, what became of a program by exec() is watched as if it were the program. 0 or a
 * negative errno. */
int mapping_watch(struct mapping *mapping, int32_t pid, const struct announce *announce);

/* The process runs, or ran, something else than the program that had the mapping. */
bool mapping_is_replaced(struct mapping *mapping);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Minidumps on disk that wait for a place for their engine, the folder of each locked meanwhile, so
 * that nobody else takes it for a leftover. Runs in the monitor.
 */
#ifndef CAIRN_CORE_MONITOR_QUEUE_H
#define CAIRN_CORE_MONITOR_QUEUE_H

#include "core/monitor/uuid.h"

#include <stdbool.h>
#include <stdint.h>

#define QUEUE_MAX 4

struct monitor;

struct queue {
    struct queue_item {
        char id[UUID_TEXT_BYTES]; /* "": a free entry */
        int lock;                 /* a descriptor of its folder, which holds the folder's lock */
        uint64_t deadline;
    } items[QUEUE_MAX];
    uint64_t next; /* when to ask for a place again */
};

/* Puts a report in; `lock` stays the caller's. False when there is no room for it. */
bool queue_add(struct monitor *monitor, const char *id, int lock);

bool queue_is_empty(const struct queue *queue);

/* When queue_work() wants to be called; CLOCK_NEVER when nothing waits. */
uint64_t queue_deadline(const struct queue *queue);

/* Starts engines for those that get a place. Those that have waited too long are left to the next
 * Cairn process. */
void queue_work(struct monitor *monitor);

#endif

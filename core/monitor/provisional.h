/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A crash that may not be one: the program's own handler is at it. The minidump waits on disk until
 * the program has died or recovered, or its handler has taken too long.
 */
#ifndef CAIRN_CORE_MONITOR_PROVISIONAL_H
#define CAIRN_CORE_MONITOR_PROVISIONAL_H

#include "core/monitor/incoming.h"

#include <stdbool.h>
#include <stdint.h>

struct monitor;

struct provisional {
    bool open;
    bool written; /* `incoming` holds the minidump; else the reserve does */
    int32_t tid;
    uint64_t low, top;                   /* on the stack, where the program's handler runs */
    uint64_t incarnation;                /* of the program: an exec() makes another one of it */
    uint64_t next_look, pause, deadline; /* CLOCK_MONOTONIC, nanoseconds */
    struct incoming incoming;
};

/* The minidump in `incoming`, whose descriptors are taken over, waits for the outcome. */
void provisional_begin(struct monitor *monitor, struct incoming *incoming);

/* Does what the outcome asks for, if it is known; `over`: the program does nothing more. */
void provisional_work(struct monitor *monitor, bool over);

/* When to work next without an announcement; CLOCK_NEVER. */
uint64_t provisional_deadline(const struct provisional *provisional);

#endif

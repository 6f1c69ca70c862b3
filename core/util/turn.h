/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is at a folder, one process at a time, however many come. Whoever comes while
 * another is at work leaves a mark and goes, unless somebody waits for him; the other one looks for
 * it once it has let go of the lock, so that nothing is missed: either the mark was there by then,
 * or the lock was free for who made it. [engine, sender]
 */
#ifndef CAIRN_CORE_UTIL_TURN_H
#define CAIRN_CORE_UTIL_TURN_H

#include "core/util/error.h"

#include <stdbool.h>
#include <stdint.h>

struct turn {
    const char *lock, *mark; /* names of files in the folder */
    uint64_t promise_us;     /* what whoever gets the lock promises first, see holder.h */
    uint64_t wait_us;        /* for the lock, by who is patient, or where no mark can be left */
};

/* The lock: a descriptor to be closed. Whoever gets it takes the mark of those who came meanwhile,
 * and looks at all that there is; `patient` leaves both for later. CAIRN_EBUSY when another process
 * has it, which will look (`patient`: has it for too long), or CAIRN_ESYSTEM. */
int turn_take(int folder_fd, const struct turn *turn, bool patient, struct error *error);
/* Whether somebody came meanwhile; to be asked after the lock is closed. */
bool turn_is_wanted(int folder_fd, const struct turn *turn);

#endif

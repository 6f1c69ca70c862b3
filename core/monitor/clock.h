/* SPDX-License-Identifier: Apache-2.0 */
/* The clock that all of the monitor's deadlines are read from: CLOCK_MONOTONIC, nanoseconds. */
#ifndef CAIRN_CORE_MONITOR_CLOCK_H
#define CAIRN_CORE_MONITOR_CLOCK_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_NEVER       UINT64_MAX
#define CLOCK_SECOND      1000000000ull
#define CLOCK_MILLISECOND 1000000ull

static inline uint64_t clock_read(clockid_t clock)
{
    struct timespec now = { 0, 0 };

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * CLOCK_SECOND + (uint64_t)now.tv_nsec;
}

static inline uint64_t clock_now(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

/* For poll(2): milliseconds until `deadline`, rounded up; 0 when it has passed; -1 for CLOCK_NEVER.
 */
static inline int clock_poll_timeout(uint64_t deadline)
{
    uint64_t now = clock_now();

    if (deadline == CLOCK_NEVER) {
        return -1;
    }
    if (deadline <= now) {
        return 0;
    }
    uint64_t ms = (deadline - now + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Announcements as something that poll(2) can wait for. No single wait takes a futex and a
 * descriptor, so one parked thread turns the page's futex into an eventfd.
 */
#ifndef CAIRN_CORE_MONITOR_ANNOUNCE_H
#define CAIRN_CORE_MONITOR_ANNOUNCE_H

#include "core/crash/page.h"

struct announce {
    struct page *page;
    int fd; /* the eventfd */
};

/* Starts the thread. The eventfd is readable at once, so that nothing announced earlier is missed.
 * `announce` has to live as long as the process. 0 or a negative errno. */
int announce_start(struct announce *announce, struct page *page);

/* Makes the eventfd readable: something has happened that poll(2) cannot see. */
void announce_wake(const struct announce *announce);

/* Takes what has been counted since. */
void announce_take(const struct announce *announce);

#endif

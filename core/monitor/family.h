/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fork children of the program. All of them map the page, and nobody else does: the kernel
 * tells when the last one has ended, however it was made, and which process is one.
 */
#ifndef CAIRN_CORE_MONITOR_FAMILY_H
#define CAIRN_CORE_MONITOR_FAMILY_H

#include "core/monitor/announce.h"

#include <stdbool.h>
#include <stdint.h>

struct family {
    int page; /* the monitor's own opening of the page's file; or -1 */
    const struct announce *announce;
    int32_t pid;       /* the program */
    bool waited_for;   /* by a thread, which then says so: */
    uint32_t gone;     /* atomic */
    uint32_t replaced; /* atomic; the program goes on, without the page */
};

/* A process of the family. */
struct relative {
    int process;   /* its pidfd */
    uint64_t born; /* see identity.h */
};

/* Before the page is mapped: takes a lock for those who share the program's opening of it,
 * `*page_fd`, and replaces that by another one. Without /proc nothing changes, and children are
 * served only as long as the program lives. */
void family_begin(struct family *family, int *page_fd);

/* From the start on, a parked thread waits for the end of all mappings, asleep all the time, and
 * wakes the monitor through `announce`. 0 or a negative errno. */
int family_watch(struct family *family, int32_t pid, const struct announce *announce);

/* The program has become another one by exec(), which nothing else tells. Not where a fork child
 * still has the page. */
bool family_is_replaced(struct family *family);

/* Whether a fork child may still announce something, after the program's own end. Once it does not,
 * it never will again. As long as one may, the last one's end wakes the monitor. */
bool family_lives(struct family *family);

/* Judges a number that a program wrote into a slot: 0 when the process has the page mapped, and
 * then the caller closes `ret_relative->process`; -EINVAL when it has not; or another negative
 * errno. */
int family_find(const struct family *family, int32_t pid, struct relative *ret_relative);

#endif

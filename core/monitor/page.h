/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's side of the shared page: mapped once, verified, answered by compare-and-swap. The
 * page belongs to a program that may be broken or hostile: nothing read from it is trusted.
 */
#ifndef CAIRN_CORE_MONITOR_PAGE_H
#define CAIRN_CORE_MONITOR_PAGE_H

#include "core/crash/page.h"
#include "core/monitor/plan.h"

#include <stdbool.h>
#include <stddef.h>

/* Maps the page of descriptor `fd`, which is closed. 0; -EINVAL when it is not one; or another
 * negative errno. */
int page_map(int fd, struct page **ret_page);

/* A page without a program, for a dump of a foreign process; NULL without memory. */
struct page *page_make(void);

/* The process of a pidfd, or a negative errno; -ESRCH when it is gone. */
int page_pidfd_process(int pidfd);

/* Copies a text of the page: bounded, always ended. */
void page_copy_text(char *target, size_t capacity, const char *text, size_t text_capacity);

/* Tells cairn_start() how the start went. `page->problem` is a sentence already when it failed. */
void page_answer_ready(struct page *page, const struct plan *plan);
void page_answer_failed(struct page *page);

/* Tells whoever looks or waits that nobody serves the page any more. */
void page_answer_gone(struct page *page);

/* The one way in which a slot changes: false when it was not in `from` any more. */
bool page_move(struct page_slot *slot, enum slot_state from, enum slot_state to);

enum slot_state page_state(const struct page_slot *slot);

/* Answers and lets the program go on, from whichever of the monitor's states. `id` is "" when
 * nothing was captured, `path` "" when no minidump is on disk. False when the program had given up
 * or cancelled before. */
bool page_release(struct page *page, struct page_slot *slot, enum slot_state from, const char *id,
                  const char *path);

/* What every minidump looks at is about to be read: takes the faults for it now. */
void page_make_present(struct page *page);

/* The program has recovered: the slot may be claimed again. */
void page_make_idle(struct page_slot *slot);

/* The report is made that a dying PID 1 waits for. */
void page_settle(struct page_slot *slot);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A robust list of one entry. The entry lies in our memory and not in the page, where the program
 * could lead the kernel elsewhere; the list says how far from it the word is. Replaces libc's list,
 * which this thread has no use for. Runs in the monitor.
 */
#include "core/monitor/life.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct robust_list entry;
static struct robust_list_head list;

int life_begin(struct page *page)
{
    entry.next = &list.list;
    list.list.next = &entry;
    list.futex_offset = (long)((uintptr_t)&page->monitor_life - (uintptr_t)&entry);
    list.list_op_pending = NULL;
    if (syscall(SYS_set_robust_list, &list, sizeof(list)) != 0) {
        return -errno;
    }
    __atomic_store_n(&page->monitor_life, (uint32_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
    return 0;
}

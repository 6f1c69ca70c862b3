/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's life, as the program can see it in the page: a robust futex, whose word the kernel
 * marks at the monitor's death, however it dies and whoever waits for it.
 */
#ifndef CAIRN_CORE_MONITOR_LIFE_H
#define CAIRN_CORE_MONITOR_LIFE_H

#include "core/crash/page.h"

/* Called by the thread whose end is the monitor's. 0 or a negative errno: then the program goes by
 * the process alone. */
int life_begin(struct page *page);

#endif

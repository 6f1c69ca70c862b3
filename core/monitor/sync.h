/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing minidumps to the disk in the background: a slow disk must not keep the monitor from the
 * next crash.
 */
#ifndef CAIRN_CORE_MONITOR_SYNC_H
#define CAIRN_CORE_MONITOR_SYNC_H

#include "core/monitor/incoming.h"
#include "core/monitor/monitor.h"

/* Takes over the descriptors of `incoming`. `monitor->syncing` counts what is still under way; the
 * end of each makes the announcements' eventfd readable. */
void sync_start(struct monitor *monitor, struct incoming *incoming);

#endif

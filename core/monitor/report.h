/* SPDX-License-Identifier: Apache-2.0 */
/* From a minidump on disk to an engine that works on it. Runs in the monitor. */
#ifndef CAIRN_CORE_MONITOR_REPORT_H
#define CAIRN_CORE_MONITOR_REPORT_H

#include "core/monitor/monitor.h"

/* Starts an engine for the report in incoming/`id`, whose locked folder is `lock`, and puts it
 * under watch; there must be room among the jobs. `lock` stays the caller's; `place` (place.h, or
 * negative: none) does not. NULL when it cannot be started, which has been logged. */
struct job *report_start(struct monitor *monitor, const char *id, int lock, int place);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second holder of a capture: a copy of the monitor (fork: the memory is shared until somebody
 * writes to it) that sleeps while the monitor writes the minidump, and writes it when the monitor
 * dies, or stops doing anything, before it is done. So a program can be let go before its minidump
 * is on disk, and no single process takes the report with it. Costs a tenth of a millisecond.
 */
#ifndef CAIRN_CORE_MONITOR_SPARE_H
#define CAIRN_CORE_MONITOR_SPARE_H

#include "core/monitor/monitor.h"

#include <sys/types.h>

/* As fork(2): the spare's id, or a negative errno. Returns 0 in the spare, once the monitor is gone
 * and left it the work; by then it may have done it. `file` is what the monitor writes to: it tells
 * a slow one from one that is stuck, which is ended. */
pid_t spare_fork(int file);

/* The monitor is done: ends the spare. 0: there is none. */
void spare_dismiss(pid_t spare);

/* The spare's last act: has what lies in incoming/ made a report, and does not return. */
_Noreturn void spare_recover(struct monitor *monitor);

#endif

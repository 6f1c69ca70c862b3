/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's life after its start: asleep until the program announces something or ends.
 */
#ifndef CAIRN_CORE_MONITOR_WATCH_H
#define CAIRN_CORE_MONITOR_WATCH_H

#include "core/monitor/monitor.h"

/* Blocks the signals that would end the monitor; their descriptor, or a negative errno. Before any
 * thread is started. */
int watch_block_signals(void);

/* Returns when nothing is left to do. */
void watch_run(struct monitor *monitor);

#endif

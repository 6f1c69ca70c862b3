/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's part of a slot's life: CLAIMED → TAKEN → CAPTURED → RELEASED.
 */
#ifndef CAIRN_CORE_MONITOR_CRASH_H
#define CAIRN_CORE_MONITOR_CRASH_H

#include "core/monitor/monitor.h"

/* Does what the slots ask for, if anything has been announced in them. */
void crash_look(struct monitor *monitor);

#endif

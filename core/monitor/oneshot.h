/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cairn-monitor --dump PID`: a report of a process that has no Cairn in it, and goes on unharmed.
 */
#ifndef CAIRN_CORE_MONITOR_ONESHOT_H
#define CAIRN_CORE_MONITOR_ONESHOT_H

#include "core/monitor/monitor.h"

struct oneshot_options {
    int32_t pid;
    const char *config_file; /* the following: or NULL */
    const char *application;
    const char *version;
};

/* Prints the report's id on standard output, or sentences on standard error. */
enum monitor_exit oneshot_run(struct monitor *monitor, const struct oneshot_options *options);

#endif

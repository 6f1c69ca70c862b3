/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What plugins read from the captured files of /proc/PID: lines, and how long the process had
 * lived. Those files are the crashed process's own and hostile. Runs in a step of the engine.
 */
#ifndef CAIRN_PLUGINS_COMMON_PROC_H
#define CAIRN_PLUGINS_COMMON_PROC_H

#include <cairn/plugin.h>

/* A captured file, NUL-terminated, or NULL. */
const char *proc_file(const struct cairn_host *host, const struct cairn_report *report,
                      const char *name);

/* The rest of the line that begins with `key`, without leading blanks; NULL if there is none or no
 * text. It does not end with the line. */
const char *proc_line(const char *text, const char *key);

/* When the report's event happened, in microseconds since 1970. 0 or -1. */
int proc_event_time(const struct cairn_host *host, const struct cairn_report *report,
                    int64_t *ret_us);

/* How long the process had lived by then, in microseconds. -1 when that cannot be known: no
 * captured file, or the machine was restarted, or its clock set, in between. */
int proc_age(const struct cairn_host *host, const struct cairn_report *report, int64_t *ret_us);

#endif

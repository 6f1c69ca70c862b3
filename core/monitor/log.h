/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's log: <application folder>/cairn.log, once the folder is known. Lines look like
 * those of Cairn's other processes. Without a folder nothing is written, unless a terminal was
 * asked for.
 */
#ifndef CAIRN_CORE_MONITOR_LOG_H
#define CAIRN_CORE_MONITOR_LOG_H

#define LOG_FILE "cairn.log"

struct log {
    int folder;         /* the application folder, or -1 */
    int standard_error; /* 1: a one-shot dump, which talks to the person who asked for it */
};

/* One line, one sentence, one write(2). */
void log_error(const struct log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The log open for appending, to be the engine's standard error; -1 if there is none. */
int log_open(const struct log *log);

#endif

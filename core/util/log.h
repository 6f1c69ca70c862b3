/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines of Cairn's own processes: "2026-11-25T19:42:47Z cairn-engine[123]: error: sentence".
 * Written with one write(2) to standard error, or to the descriptor set by log_open(). Never a
 * token.
 */
#ifndef CAIRN_CORE_UTIL_LOG_H
#define CAIRN_CORE_UTIL_LOG_H

enum log_level {
    LOG_LEVEL_ERROR = 1,
    LOG_LEVEL_WARNING = 2,
    LOG_LEVEL_INFO = 3,
    LOG_LEVEL_DEBUG = 4
};

void log_init(const char *program, int fd, enum log_level threshold);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

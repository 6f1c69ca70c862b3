/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Appends to the log. The file is opened for each line: errors are rare, and an idle monitor should
 * hold neither the file nor a buffer. Capped at 1 MiB by starting over. Runs in the monitor.
 */
#include "core/monitor/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOG_LIMIT (1024 * 1024)

int log_open(const struct log *log)
{
    struct stat status;

    if (log->folder < 0) {
        return -1;
    }
    int fd = openat(log->folder, LOG_FILE,
                    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0) {
        return -1;
    }
    /* A pipe or a device of that name, put there by somebody else, is not our log. */
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
        (status.st_size > LOG_LIMIT && ftruncate(fd, 0) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int format_line(char *line, size_t capacity, const char *format, va_list arguments)
{
    struct timespec now = { 0, 0 };
    struct tm fields = { 0 };

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &fields);
    size_t used = strftime(line, capacity, "%Y-%m-%dT%H:%M:%SZ ", &fields);
    used +=
        (size_t)snprintf(line + used, capacity - used, "cairn-monitor[%d]: error: ", (int)getpid());
    int text = vsnprintf(line + used, capacity - used, format, arguments);
    if (text < 0) {
        return -1;
    }
    used += (size_t)text;
    if (used > capacity - 2) {
        used = capacity - 2;
    }
    line[used] = '\n';
    return (int)used + 1;
}

void log_error(const struct log *log, const char *format, ...)
{
    char line[2048];
    va_list arguments;

    va_start(arguments, format);
    int bytes = format_line(line, sizeof(line), format, arguments);
    va_end(arguments);
    int fd = log->standard_error ? STDERR_FILENO : log_open(log);
    if (fd < 0) {
        return;
    }
    /* A log that cannot be written has nobody to tell. */
    if (bytes > 0 && write(fd, line, (size_t)bytes) < 0) {
        bytes = 0;
    }
    if (fd != STDERR_FILENO) {
        close(fd);
    }
}

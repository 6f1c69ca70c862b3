/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines of Cairn's own processes; see log.h. Every process but the crashed one. */
#include "core/util/log.h"

#include "core/util/time.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
    const char *program;
    int fd;
    enum log_level threshold;
} settings = { "cairn", STDERR_FILENO, LOG_LEVEL_WARNING };

void log_init(const char *program, int fd, enum log_level threshold)
{
    settings.program = program;
    settings.fd = fd;
    settings.threshold = threshold;
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_WARNING:
        return "warning";
    case LOG_LEVEL_INFO:
        return "info";
    case LOG_LEVEL_DEBUG:
        return "debug";
    }
    return "?";
}

void log_line(enum log_level level, const char *format, ...)
{
    char line[2048], when[32];
    int saved = errno;
    va_list arguments;
    size_t used;

    if (level > settings.threshold || settings.fd < 0) {
        return;
    }
    time_format(time_wall_ns(), when);
    snprintf(line, sizeof(line) - 1, "%.19sZ %s[%d]: %s: ", when, settings.program, (int)getpid(),
             level_name(level));
    used = strlen(line);
    va_start(arguments, format);
    vsnprintf(line + used, sizeof(line) - 1 - used, format, arguments);
    va_end(arguments);
    /* One line per message, whatever bytes the arguments held. */
    for (char *c = line; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20) {
            *c = ' ';
        }
    }
    used = strlen(line);
    line[used++] = '\n';
    while (write(settings.fd, line, used) < 0 && errno == EINTR) {
    }
    errno = saved;
}

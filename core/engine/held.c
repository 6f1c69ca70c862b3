/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports in whose folder somebody is at work for longer than anybody may: a monitor or an engine
 * that was frozen for good. Whoever looks for leftovers ends it and takes the report over; nothing
 * of it is lost, as it would be had it been killed. [engine]
 */
#include "core/engine/engine.h"

#include "core/util/holder.h"
#include "core/util/time.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#define UNFINISHED_SECONDS  60
#define SECOND_US           UINT64_C(1000000)
#define LEAST_US            (60 * SECOND_US) /* a handler of the program's, a place for an engine */
#define PIPELINES           12 /* ten of others before it, its own, the monitor's grace */
#define BYTES_A_SECOND      (UINT64_C(16) << 20)
#define DEFAULT_PIPELINE_US (20 * SECOND_US)

uint64_t engine_hold_us(int folder_fd, uint64_t pipeline_us)
{
    struct stat status;
    uint64_t bytes = fstatat(folder_fd, SPOOL_CAPTURE, &status, AT_SYMLINK_NOFOLLOW) == 0
                         ? (uint64_t)status.st_size
                         : 0;

    return LEAST_US + PIPELINES * (pipeline_us != 0 ? pipeline_us : DEFAULT_PIPELINE_US) +
           bytes / BYTES_A_SECOND * SECOND_US;
}

/* The last time that a file of it came, went, or, if it is the minidump, was written to. */
static uint64_t last_change_us(int folder_fd)
{
    static const char *const names[] = { ".", SPOOL_CAPTURE };
    uint64_t last = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct stat status;

        if (fstatat(folder_fd, names[i], &status, AT_SYMLINK_NOFOLLOW) == 0) {
            uint64_t then = (uint64_t)status.st_mtim.tv_sec * SECOND_US +
                            (uint64_t)status.st_mtim.tv_nsec / 1000;
            last = then > last ? then : last;
        }
    }
    return last;
}

bool engine_is_overdue(int folder_fd, uint64_t pipeline_us)
{
    uint64_t last = last_change_us(folder_fd);

    return last != 0 && last + engine_hold_us(folder_fd, pipeline_us) < time_wall_ns() / 1000;
}

uint64_t engine_pipeline_us(const struct engine_options *options, int folder_fd)
{
    struct plugin_setup setup;
    int result = engine_setup_load(&setup, options, folder_fd);
    uint64_t pipeline_us = result == 0 ? setup.config->pipeline_us : DEFAULT_PIPELINE_US;

    plugin_setup_finish(&setup);
    return pipeline_us;
}

bool engine_is_old(int folder_fd, const char *name)
{
    struct stat status;

    return fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           time(NULL) - status.st_mtime > UNFINISHED_SECONDS;
}

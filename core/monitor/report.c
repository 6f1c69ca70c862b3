/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the engine of one report. Runs in the monitor. */
#include "core/monitor/report.h"

#include "core/monitor/clock.h"
#include "core/monitor/incoming.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENGINE_GRACE_MS  10000u /* beyond the engine's own clock `pipeline` */
#define GRACE_BYTES_A_MS 16384u /* 16 MiB/s: a large dump's digest and sync, on a slow machine */

static int start(const struct monitor *monitor, const char *id, int lock, int place,
                 struct engine *ret_engine)
{
    char folder[PAGE_PATH_BYTES];
    int errors = monitor->log.standard_error ? -1 : log_open(&monitor->log);

    snprintf(folder, sizeof(folder), "%s/%s/%s", monitor->plan.application_folder, INCOMING_FOLDER,
             id);
    int result = engine_start_report(&monitor->settings, folder, lock, place, errors, ret_engine);
    if (errors >= 0) {
        close(errors);
    }
    return result;
}

static uint64_t grace_ms(int folder)
{
    struct stat status;
    bool known = fstatat(folder, INCOMING_CAPTURE, &status, AT_SYMLINK_NOFOLLOW) == 0;

    return ENGINE_GRACE_MS + (known ? (uint64_t)status.st_size / GRACE_BYTES_A_MS : 0);
}

struct job *report_start(struct monitor *monitor, const char *id, int lock, int place)
{
    const uint64_t clock_ms = (uint64_t)monitor->plan.pipeline_ms + grace_ms(lock);
    struct engine engine;
    int result = start(monitor, id, lock, place, &engine);

    if (place >= 0) {
        close(place); /* the engine's now */
    }
    if (result != 0) {
        log_error(
            &monitor->log,
            "%s could not be started: %s. The minidump of the report %s stays in incoming for the "
            "next Cairn process.",
            monitor->settings.program, strerror(-result), id);
        return NULL;
    }
    return jobs_add(&monitor->jobs, &engine, id, clock_now() + clock_ms * CLOCK_MILLISECOND);
}

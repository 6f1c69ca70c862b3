/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A captured minidump that a writer keeps as it is, but for some bytes of it: instead of being
 * copied, which takes gigabytes their time, it gets the artifact's name at the commit. Until then
 * everybody else still sees all of it. [engine]
 */
#include "core/engine/engine.h"

#include "core/util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Hooks come after the commit: for one of them something may have been captured that the artifact
 * shall not have. */
static bool hooks_want_all(const struct engine_run *run)
{
    const char *text;
    size_t bytes;

    return run->pipeline->stages[CAIRN_KIND_HOOK].count > 0 &&
           (minidump_process_file(run->dump, "cmdline", &text, &bytes) ||
            minidump_process_file(run->dump, "environ", &text, &bytes));
}

bool engine_may_take(const struct engine_run *run)
{
    return !run->taken.is_set && !run->keep_capture && !hooks_want_all(run);
}

int engine_take(struct engine_run *run, const char *name, const char *media_type,
                struct step_result *result, struct error *error)
{
    uint64_t limit = run->setup.config->limits.report_bytes;
    struct stat status;

    if (fstat(run->dump_fd, &status) != 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be examined", SPOOL_CAPTURE);
    }
    if (limit != 0 && (uint64_t)status.st_size > limit - run->artifact_bytes) {
        return error_set(error, CAIRN_ENOSPACE,
                         "%s has %lld bytes, with which the report would exceed its limit of %llu.",
                         name, (long long)status.st_size, (unsigned long long)limit);
    }
    if (report_add_artifact(run->report, name, media_type, (uint64_t)status.st_size, "") != 0) {
        return error_set(error, CAIRN_EFULL, "%s does not fit into the report's list of artifacts.",
                         name);
    }
    run->artifact_bytes += (uint64_t)status.st_size;
    run->taken.is_set = true;
    run->taken.holes = result->holes;
    run->taken.hole_count = result->hole_count;
    text_copy(run->taken.name, sizeof(run->taken.name), name);
    result->holes = NULL;
    return 0;
}

static int fill_with_zeros(int fd, struct cairn_hole hole)
{
    static const unsigned char zeros[4096];

    while (hole.bytes > 0) {
        size_t piece = hole.bytes < sizeof(zeros) ? (size_t)hole.bytes : sizeof(zeros);
        ssize_t written = pwrite(fd, zeros, piece, (off_t)hole.offset);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return -1;
        }
        hole.offset += (uint64_t)written;
        hole.bytes -= (uint64_t)written;
    }
    return 0;
}

static int finish(const struct engine_taken *taken, int folder_fd, char sha256[65])
{
    int fd = openat(folder_fd, SPOOL_CAPTURE, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int result = fd < 0 ? -1 : 0;

    for (size_t i = 0; i < taken->hole_count && result == 0; i++) {
        result = fill_with_zeros(fd, taken->holes[i]);
    }
    if (result == 0) {
        unlinkat(folder_fd, taken->name, 0); /* of an engine that was killed */
        result = fsync(fd) == 0 && engine_digest(fd, sha256) == 0 &&
                         linkat(folder_fd, SPOOL_CAPTURE, folder_fd, taken->name, 0) == 0
                     ? 0
                     : -1;
    }
    if (fd >= 0) {
        int number = errno;
        close(fd);
        errno = number;
    }
    return result;
}

static struct report_artifact *find_artifact(struct report *report, const char *name)
{
    for (size_t i = 0; i < report->artifact_count; i++) {
        if (strcmp(report->artifacts[i].name, name) == 0) {
            return &report->artifacts[i];
        }
    }
    return NULL;
}

void engine_finish_taken(struct engine_run *run)
{
    struct report_artifact *artifact;
    char sha256[65];

    if (!run->taken.is_set) {
        return;
    }
    artifact = find_artifact(run->report, run->taken.name);
    if (finish(&run->taken, run->folder_fd, sha256) == 0) {
        text_copy(artifact->sha256, sizeof(artifact->sha256), sha256);
        run->keep_capture = false; /* whatever else failed: here it is */
        return;
    }
    report_note(run->report,
                "%s could not be made of the captured minidump, which is kept as it "
                "is: %s.",
                run->taken.name, strerror(errno));
    report_remove_artifact(run->report, run->taken.name);
    run->keep_capture = true;
}

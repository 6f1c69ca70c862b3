/* SPDX-License-Identifier: Apache-2.0 */
/* Files that become part of a report: their names, their sizes, their digests. [engine] */
#include "core/engine/engine.h"

#include "core/util/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_NAME_BYTES 200 /* leaves room for a number and for a temporary name */

static bool is_taken(const struct engine_run *run, const char *name)
{
    static const char *const ours[] = { SPOOL_CAPTURE, SPOOL_CONFIGURATION, SPOOL_REPORT };

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (strcmp(name, ours[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < run->report->artifact_count; i++) {
        if (strcmp(name, run->report->artifacts[i].name) == 0) {
            return true;
        }
    }
    return false;
}

/* The name itself, or with the first number that is free: "dump.dmp", "dump-2.dmp". */
static int free_name(const struct engine_run *run, const char *name, char ret_name[256])
{
    const char *dot = strrchr(name, '.');
    int stem = (int)(dot != NULL ? dot - name : (long)strlen(name));

    snprintf(ret_name, 256, "%s", name);
    for (unsigned number = 2; is_taken(run, ret_name); number++) {
        if (number > REPORT_MAX_ARTIFACTS + 1) {
            return CAIRN_EFULL;
        }
        snprintf(ret_name, 256, "%.*s-%u%s", stem, name, number, name + stem);
    }
    return 0;
}

int engine_artifact_name(const struct engine_run *run, const char *wanted, char ret_name[256],
                         struct error *error)
{
    char *escaped = text_escape_name(wanted);
    int result;

    if (escaped == NULL || strlen(escaped) > MAX_NAME_BYTES) {
        free(escaped);
        return error_set(error, CAIRN_ETOOLONG, "The name %.80s is too long for a file.", wanted);
    }
    result = free_name(run, escaped, ret_name);
    free(escaped);
    return result == 0 ? 0 : error_set(error, CAIRN_EFULL, "The report has too many artifacts.");
}

static int keep(struct engine_run *run, int fd, const char *part, const char *name,
                const char *media_type, struct error *error)
{
    uint64_t limit = run->setup.config != NULL ? run->setup.config->limits.report_bytes : 0;
    struct stat status;
    char sha256[65];

    if (fstat(fd, &status) != 0 || fsync(fd) != 0 || engine_digest(fd, sha256) != 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be completed", name);
    }
    if (limit != 0 && (uint64_t)status.st_size > limit - run->artifact_bytes) {
        return error_set(error, CAIRN_ENOSPACE,
                         "%s has %lld bytes, with which the report would exceed its limit of %llu.",
                         name, (long long)status.st_size, (unsigned long long)limit);
    }
    if (renameat(run->folder_fd, part, run->folder_fd, name) != 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be named", name);
    }
    if (report_add_artifact(run->report, name, media_type, (uint64_t)status.st_size, sha256) != 0) {
        unlinkat(run->folder_fd, name, 0);
        return error_set(error, CAIRN_EFULL, "%s does not fit into the report's list of artifacts.",
                         name);
    }
    run->artifact_bytes += (uint64_t)status.st_size;
    return 0;
}

int engine_artifact_keep(struct engine_run *run, int fd, const char *part, const char *name,
                         const char *media_type, struct error *error)
{
    int result = keep(run, fd, part, name, media_type, error);

    if (result != 0) {
        unlinkat(run->folder_fd, part, 0);
    }
    return result;
}

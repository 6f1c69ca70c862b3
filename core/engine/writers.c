/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writers in order, each into a file of its own, "<instance>.<extension>"; a writer sees what those
 * before it wrote. Files get their names only when they are complete. [engine]
 */
#include "core/engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PART "writer.part" /* the file that is being written; one at a time */

static int open_part(struct engine_run *run, struct error *error)
{
    int fd;

    unlinkat(run->folder_fd, PART, 0); /* of an engine that was killed */
    fd = openat(run->folder_fd, PART, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "The folder %s cannot be written to",
                           run->folder);
    }
    return fd;
}

/* Names what the step made, after what it said of it, else after what its plugin is for. */
static int keep_artifact(struct engine_run *run, size_t index, int fd, struct step_result *result,
                         struct error *error)
{
    const struct plugin_facts *facts = run->setup.plugins.facts[index];
    const char *extension = result->extension[0] != '\0' ? result->extension
                            : facts->extension != NULL   ? facts->extension
                                                         : "bin";
    const char *media_type = result->media_type[0] != '\0' ? result->media_type
                             : facts->media_type != NULL   ? facts->media_type
                                                           : "application/octet-stream";
    char wanted[256], name[256];
    int code;

    snprintf(wanted, sizeof(wanted), "%s.%s", run->setup.config->instances[index].id, extension);
    code = engine_artifact_name(run, wanted, name, error);
    if (code != 0 || !result->takes_minidump) {
        return code != 0 ? code : engine_artifact_keep(run, fd, PART, name, media_type, error);
    }
    unlinkat(run->folder_fd, PART, 0);
    return engine_take(run, name, media_type, result, error);
}

/* What limits.report leaves; never the 0 that means any. */
static uint64_t room_for(const struct engine_run *run)
{
    uint64_t limit = run->setup.config->limits.report_bytes;

    return limit > run->artifact_bytes ? limit - run->artifact_bytes : 1;
}

static int write_artifact(struct engine_run *run, size_t index, int fd, struct error *error)
{
    const struct config_instance *instance = &run->setup.config->instances[index];
    struct step_request request = { .out_fd = fd,
                                    .may_take = engine_may_take(run),
                                    .room = room_for(run) };
    struct step_result result;
    enum step_status status = engine_step(run, index, &request, &result);
    int code;

    if (status != STEP_OK) {
        step_result_finish(&result);
        unlinkat(run->folder_fd, PART, 0);
        return status == STEP_UNSUPPORTED ? 0 : CAIRN_EPLUGIN; /* noted already */
    }
    code = keep_artifact(run, index, fd, &result, error);
    step_result_finish(&result);
    if (code != 0) {
        unlinkat(run->folder_fd, PART, 0);
        report_note(run->report, "writer \"%s\" failed: %s", instance->id, error->text);
    }
    return code;
}

static bool writes_minidump(const struct plugin_facts *facts)
{
    return facts->media_type != NULL && strcmp(facts->media_type, ENGINE_MINIDUMP_TYPE) == 0;
}

static void run_writer(struct engine_run *run, size_t index)
{
    struct error error;
    int fd = open_part(run, &error), result;

    if (fd < 0) {
        report_note(run->report, "writer \"%s\" failed: %s", run->setup.config->instances[index].id,
                    error.text);
        result = fd;
    } else {
        result = write_artifact(run, index, fd, &error);
        close(fd);
    }
    /* A minidump was wanted and could not be made: the captured one takes its place. */
    if (result != 0 && writes_minidump(run->setup.plugins.facts[index])) {
        run->keep_capture = true;
    }
}

bool engine_writers(struct engine_run *run)
{
    const struct config_stage *writers = &run->pipeline->stages[CAIRN_KIND_WRITER];

    for (size_t i = 0; i < writers->count && run->state != ENGINE_DROPPED; i++) {
        run_writer(run, writers->instances[i]);
    }
    return writers->count != 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a run: the report becomes complete and moves to where it belongs, or is dropped and
 * counted. report.json is written last before the move: a folder in incoming/ that has one lacks
 * only the move, which `recover` makes up for. [engine]
 *
 * The captured minidump is deleted before the move: what shall stay of it was written by a writer,
 * or has become a writer's artifact (taken.c). Where such a writer failed, or the configuration
 * turned bad, it stays as the artifact capture.dmp, on this machine only: nobody has taken out what
 * the configuration leaves out.
 */
#include "core/engine/engine.h"

#include "core/util/fault.h"
#include "core/util/fs.h"
#include "core/util/log.h"
#include "core/util/text.h"
#include "core/util/time.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void keep_capture(struct engine_run *run)
{
    struct stat status;
    char sha256[65];

    if (fstat(run->dump_fd, &status) != 0 || engine_digest(run->dump_fd, sha256) != 0 ||
        report_add_artifact(run->report, SPOOL_CAPTURE, ENGINE_MINIDUMP_TYPE,
                            (uint64_t)status.st_size, sha256) != 0) {
        report_note(run->report, "The captured minidump is beside the report, but could not be "
                                 "added to its artifacts.");
    } else {
        report_note(run->report, SPOOL_CAPTURE
                    " is as it was captured, with what the configuration leaves out: it stays on "
                    "this machine, and no hook and no transport is told of it.");
    }
    if (fsync(run->dump_fd) != 0) {
        report_note(run->report, "The captured minidump could not be synced to the disk.");
    }
}

/* A copy of the configuration stays beside the report, for the sender. Of a single file it is the
 * file itself, and its path stays in the report, because relative paths in the copy start where the
 * original lay; several layers become one text. */
static void keep_configuration(struct engine_run *run)
{
    const struct config *config = run->setup.config;
    struct error error = { 0, "There is not enough memory." };
    char path[PATH_MAX];
    struct buf text;

    if (config == NULL) {
        return;
    }
    if (!config->layered && realpath(config->name, path) != NULL) {
        report_text(&run->report->configuration, path);
    }
    buf_init(&text, CONFIG_MAX_BYTES);
    config_text(config, &text);
    if (text.failed != 0 ||
        fs_replace_file(run->folder_fd, SPOOL_CONFIGURATION, text.data != NULL ? text.data : "",
                        text.bytes, &error) != 0) {
        report_note(run->report, "The configuration was not kept. %s", error.text);
    }
    buf_finish(&text);
}

static void plan_deliveries(struct engine_run *run)
{
    const struct config_stage *transports;
    uint64_t next_ns = run->defer_us > 0 ? time_wall_ns() + run->defer_us * 1000 : 0;

    if (run->pipeline == NULL) {
        return;
    }
    transports = &run->pipeline->stages[CAIRN_KIND_TRANSPORT];
    for (size_t i = 0; i < transports->count; i++) {
        const char *id = run->setup.config->instances[transports->instances[i]].id;
        struct report_delivery *delivery = report_add_delivery(run->report, id);

        if (delivery == NULL) {
            report_note(run->report, "The transport %s does not fit into the report.", id);
        } else {
            delivery->next_ns = next_ns;
        }
    }
}

void engine_prune(struct engine_run *run)
{
    struct spool_limits limits;
    struct error error;

    if (!run->setup.usable) {
        return;
    }
    limits.reports = run->setup.config->limits.reports;
    limits.total_bytes = run->setup.config->limits.total_bytes;
    limits.free_bytes = run->setup.config->limits.free_bytes;
    if (spool_prune(run->application_fd, &limits, &error) != 0) {
        log_line(LOG_LEVEL_WARNING, "%s", error.text);
        report_note(run->report, "The spool's limits could not be kept. %s", error.text);
    }
}

static int move(struct engine_run *run, enum spool_state to, struct error *error)
{
    char *folder;
    int result = spool_move(run->application_fd, SPOOL_INCOMING, to, run->id, error);

    if (result != 0) {
        return result;
    }
    if (asprintf(&folder, "%s/%s/%s", run->application_folder, spool_state_name(to), run->id) >=
        0) {
        free(run->folder);
        run->folder = folder;
    }
    return 0;
}

int engine_commit(struct engine_run *run, struct error *error)
{
    enum spool_state to;
    int result;

    engine_prune(run); /* before, so that there is room to write */
    engine_finish_taken(run);
    if (run->keep_capture) {
        keep_capture(run);
    }
    keep_configuration(run);
    plan_deliveries(run);
    to = run->report->delivery_count > 0 ? SPOOL_PENDING : SPOOL_DELIVERED;
    result = spool_save(run->folder_fd, run->report, error);
    if (result != 0) {
        return result;
    }
    fault_point("engine.saved");
    if (!run->keep_capture && unlinkat(run->folder_fd, SPOOL_CAPTURE, 0) != 0) {
        log_line(LOG_LEVEL_WARNING, "%s/%s cannot be deleted: %s.", run->folder, SPOOL_CAPTURE,
                 strerror(errno));
    }
    unlinkat(run->folder_fd, SPOOL_END, 0);
    if (fsync(run->folder_fd) != 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "The folder %s cannot be synced",
                           run->folder);
    }
    fault_point("engine.stripped");
    result = move(run, to, error);
    if (result != 0) {
        return result;
    }
    run->state = to == SPOOL_PENDING ? ENGINE_PENDING : ENGINE_DELIVERED;
    engine_replace(run);
    return 0;
}

void engine_drop_key(char ret_key[33], const char *id)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz-_";

    text_copy(ret_key, 33, id);
    for (char *c = ret_key; *c != '\0'; c++) {
        *c = strchr(allowed, *c) != NULL ? *c : '_';
    }
}

void engine_drop_as(struct engine_run *run, const char *key, const char *format, ...)
{
    va_list arguments;

    run->state = ENGINE_DROPPED;
    engine_drop_key(run->drop_key, key);
    va_start(arguments, format);
    vsnprintf(run->drop_reason, sizeof(run->drop_reason), format, arguments);
    va_end(arguments);
}

int engine_drop(struct engine_run *run, struct error *error)
{
    int result = spool_count_drop(run->application_fd, run->drop_key, error), incoming;

    if (result != 0) {
        log_line(LOG_LEVEL_WARNING, "The drop of %s was not counted. %s", run->id, error->text);
    }
    log_line(LOG_LEVEL_INFO, "The report %s was dropped. %s", run->id, run->drop_reason);
    incoming = fs_open_directory(run->application_fd, spool_state_name(SPOOL_INCOMING), error);
    if (incoming < 0) {
        return incoming;
    }
    result = fs_remove_tree(incoming, run->id, error);
    close(incoming);
    return result;
}

void engine_deliver(struct engine_run *run)
{
    char *spool = engine_parent(run->application_folder);
    char *application = engine_application_name(run->application_folder);
    struct error error;

    engine_unlock(run);
    fault_point("engine.deliver");
    /* All that is due, each as it was made: one sender does the work of many. */
    if (run->state == ENGINE_PENDING && spool != NULL && application != NULL &&
        engine_start_sender(spool, application, NULL, &error) != 0) {
        log_line(LOG_LEVEL_ERROR, "The report %s waits in the spool. %s", run->id, error.text);
    }
    free(spool);
    free(application);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One report from its captured minidump to the commit. The order of the stages is that of
 * doc/architecture.md; whatever fails on the way is a note, and the commit is always reached: when
 * the pipeline's clock is over, what is left of the stages is skipped. [engine]
 */
#include "core/engine/engine.h"

#include "core/util/fault.h"
#include "core/util/fs.h"
#include "core/util/log.h"
#include "core/util/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMIT_RESERVE_US                                                                          \
    500000u /* of the pipeline's clock, for the commit; a tenth if it is short */
#define POINT_PREFIX      "engine."
#define MAX_PROBLEM_NOTES 3 /* of a configuration that turned bad */
#define MAX_END_BYTES     128

/* ---- What the minidump knows ---- */

static int open_dump(struct engine_run *run, struct error *error)
{
    run->dump_fd =
        openat(run->folder_fd, SPOOL_CAPTURE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (run->dump_fd < 0) {
        int number = errno;

        return error_errno(error, number == ENOENT ? CAIRN_ENOENT : CAIRN_ESYSTEM, number,
                           "%s/%s cannot be opened", run->folder, SPOOL_CAPTURE);
    }
    return minidump_open(run->dump_fd, SPOOL_CAPTURE, &run->dump, error);
}

/* Of a program that was busy with its fault to its end, the monitor knows how that came. */
static void tell_end(struct engine_run *run)
{
    struct cairn_value value = { .type = CAIRN_VALUE_STRING };
    struct error error;
    size_t bytes;
    char *text;

    if (fs_read_file(run->folder_fd, SPOOL_END, MAX_END_BYTES, &text, &bytes, &error) != 0) {
        return; /* as for any other crash */
    }
    value.string = text;
    if (report_set(run->report, "crash.end", &value) != 0) {
        report_note(run->report, "How the program ended is not text, or does not fit.");
    }
    free(text);
}

static int describe(struct engine_run *run, struct error *error)
{
    int result = open_dump(run, error);
    char *application;

    if (result != 0) {
        return result;
    }
    run->report = report_create();
    application = engine_application_name(run->application_folder);
    if (run->report == NULL || application == NULL ||
        report_from_minidump(run->report, run->dump) != 0 ||
        report_text(&run->report->application, application) != 0) {
        free(application);
        return error_set(error, CAIRN_ENOMEM, "There is not enough memory for the report %s.",
                         run->id);
    }
    free(application);
    memcpy(run->report->id, run->id, sizeof(run->report->id));
    tell_end(run);
    if (run->report->executable == NULL && run->options->executable != NULL) {
        report_text(&run->report->executable, run->options->executable);
    }
    return 0;
}

static void apply_version(struct engine_run *run)
{
    const struct config *config = run->setup.config;
    const char *version = run->options->version;

    if (version == NULL && config != NULL && run->setup.usable) {
        version = config->version;
    }
    if (version != NULL) {
        report_text(&run->report->version, version);
    }
}

/* ---- The configuration ---- */

static void note_problems(struct engine_run *run)
{
    const struct config_problems *problems = &run->setup.problems;
    unsigned noted = 0;

    report_note(run->report,
                "The configuration has problems; the minidump is kept as it was captured.");
    for (size_t i = 0; i < problems->count && noted < MAX_PROBLEM_NOTES; i++) {
        const struct config_problem *item = &problems->items[i];

        if (!item->warning && item->text != NULL) {
            report_note(run->report, "%s:%u:%u: %s%s%s.",
                        item->position.file != NULL ? item->position.file : "configuration",
                        item->position.line, item->position.column,
                        item->path != NULL ? item->path : "",
                        item->path != NULL && item->path[0] != '\0' ? ": " : "", item->text);
            noted++;
        }
    }
}

static void start_clock(struct engine_run *run, uint64_t began_us)
{
    uint64_t pipeline_us = run->pipeline != NULL ? run->setup.config->pipeline_us : 0;
    uint64_t reserve_us = pipeline_us / 10;

    if (reserve_us > COMMIT_RESERVE_US) {
        reserve_us = COMMIT_RESERVE_US;
    }
    run->hooks_end_us = began_us + pipeline_us;
    run->stages_end_us = run->hooks_end_us - reserve_us;
}

static void configure(struct engine_run *run, uint64_t began_us)
{
    const struct report *report = run->report;

    if (engine_setup_load(&run->setup, run->options, run->folder_fd) != 0) {
        note_problems(run);
        run->keep_capture = true;
    } else {
        run->pipeline =
            config_choose(run->setup.config, report->executable, report->user, report->application);
        if (run->pipeline == NULL) {
            engine_drop_as(run, "no-pipeline", "no pipeline of the configuration matches");
        } else {
            report_text(&run->report->pipeline, run->pipeline->id);
        }
    }
    apply_version(run);
    start_clock(run, began_us);
}

/* ---- The stages ---- */

static bool crash_filters(struct engine_run *run)
{
    return engine_filters(run, CAIRN_STAGE_CRASH);
}

static bool stack_filters(struct engine_run *run)
{
    return engine_filters(run, CAIRN_STAGE_STACK);
}

static bool report_filters(struct engine_run *run)
{
    return engine_filters(run, CAIRN_STAGE_REPORT);
}

static void run_stages(struct engine_run *run)
{
    static const struct {
        const char *point; /* for tests; its timing's name follows POINT_PREFIX */
        bool (*run)(struct engine_run *run);
        bool without_pipeline; /* needs no usable configuration */
    } stages[] = {
        { "engine.crash_filters", crash_filters, false },
        { "engine.stack_walk", engine_walk, true },
        { "engine.stack_filters", stack_filters, false },
        { "engine.annotators", engine_annotators, false },
        { "engine.report_filters", report_filters, false },
        { "engine.attachments", engine_attachments, false },
        { "engine.writers", engine_writers, false },
    };

    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        uint64_t began_us = time_monotonic_us();

        if (run->state == ENGINE_DROPPED) {
            return;
        }
        fault_point(stages[i].point);
        if ((run->pipeline != NULL || stages[i].without_pipeline) && stages[i].run(run)) {
            report_timing(run->report, stages[i].point + strlen(POINT_PREFIX),
                          time_monotonic_us() - began_us);
        }
    }
}

static void answer(int fd, const char *line)
{
    if (fd >= 0 && fs_write_all(fd, line, strlen(line)) != 0) {
        log_line(LOG_LEVEL_INFO, "Nobody waits for the answer any more.");
    }
}

int engine_pipeline(struct engine_run *run, int answer_fd, struct error *error)
{
    uint64_t began_us = time_monotonic_us();
    int result = describe(run, error);

    if (result == CAIRN_EFORMAT) {
        char *application = engine_application_name(run->application_folder);

        engine_set_aside(run->application_fd, application, run->id, error->text);
        free(application);
    }
    if (result != 0) {
        return result;
    }
    fault_point("engine.loaded");
    configure(run, began_us);
    result = engine_ask_consent(run, error);
    if (result != 0) {
        return result;
    }
    run_stages(run);
    fault_point("engine.commit");
    report_timing(run->report, "pipeline", time_monotonic_us() - began_us);
    result = run->state == ENGINE_DROPPED ? engine_drop(run, error) : engine_commit(run, error);
    if (result != 0) {
        return result;
    }
    fault_point("engine.moved");
    answer(answer_fd, run->state == ENGINE_PENDING     ? "committed pending\n"
                      : run->state == ENGINE_DELIVERED ? "committed delivered\n"
                                                       : "dropped\n");
    if (run->state != ENGINE_DROPPED && run->pipeline != NULL) {
        engine_hooks(run);
        engine_prune(run); /* now that this report counts, too */
    }
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cairn-engine import: any reporter's minidump, copied into the spool and taken through the
 * pipeline. Prints the new report's id; with --wait, not before its delivery was tried. [engine]
 */
#include "core/engine/engine.h"

#include "core/util/fs.h"
#include "core/util/log.h"
#include "core/util/text.h"
#include "core/util/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define SENDER_SLACK_US 60000000u /* beyond the transports' own timeouts */

static int open_file(const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;

    if (fd < 0) {
        int number = errno;

        return error_errno(error, number == EACCES ? CAIRN_EPERM : CAIRN_ENOENT, number,
                           "%s cannot be opened", path);
    }
    if (fstat(fd, &status) != 0) {
        int number = errno;

        close(fd);
        return error_errno(error, CAIRN_ESYSTEM, number, "%s cannot be examined", path);
    }
    if (!S_ISREG(status.st_mode)) {
        close(fd);
        return error_set(error, CAIRN_EFORMAT, "%s is not a minidump: it is not a regular file.",
                         path);
    }
    return fd;
}

/* The name under which the report is filed: as for a crash, else what the minidump says. */
static char *application_of(const struct engine_options *options, const struct config *config,
                            const struct report *report)
{
    const char *name = options->application != NULL ? options->application : config->application;

    if (name == NULL) {
        name = report->application;
    }
    if (name == NULL && report->executable != NULL) {
        name = text_base_name(report->executable);
    }
    return strdup(name != NULL && name[0] != '\0' ? name : "unknown");
}

static int name_application(const struct engine_options *options, const struct config *config,
                            int file, char **ret_application, struct error *error)
{
    struct report *report;
    struct minidump *dump;
    int result = minidump_open(file, options->file, &dump, error);

    if (result != 0) {
        return result;
    }
    report = report_create();
    *ret_application = NULL;
    if (report != NULL && report_from_minidump(report, dump) == 0) {
        *ret_application = application_of(options, config, report);
    }
    report_destroy(report);
    minidump_close(dump);
    return *ret_application != NULL
               ? 0
               : error_set(error, CAIRN_ENOMEM, "There is not enough memory for %s.",
                           options->file);
}

static int copy_bytes(int from, int to, struct error *error)
{
    char buffer[65536];
    off_t offset = 0;

    for (;;) {
        ssize_t got = pread(from, buffer, sizeof(buffer), offset);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0
                       ? 0
                       : error_errno(error, CAIRN_ESYSTEM, errno, "The minidump cannot be read");
        }
        if (fs_write_all(to, buffer, (size_t)got) != 0) {
            return error_errno(error, CAIRN_ENOSPACE, errno, "The minidump cannot be copied");
        }
        offset += got;
    }
}

static int copy_file(int from, int folder_fd, struct error *error)
{
    int to = openat(folder_fd, SPOOL_UNFINISHED, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int result;

    if (to < 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "The minidump cannot be copied");
    }
    result = copy_bytes(from, to, error);
    if (result == 0 &&
        (fsync(to) != 0 || renameat(folder_fd, SPOOL_UNFINISHED, folder_fd, SPOOL_CAPTURE) != 0)) {
        result = error_errno(error, CAIRN_ESYSTEM, errno, "The minidump cannot be copied");
    }
    close(to);
    return result;
}

/* A folder of the spool with the copy in it; nothing is left behind on failure. */
static int place(const struct config *config, const char *application, int file, const char *id,
                 int *ret_folder_fd, struct error *error)
{
    int application_fd = spool_open(config->spool, application, error);
    int folder_fd, result;

    if (application_fd < 0) {
        return application_fd;
    }
    folder_fd = spool_create(application_fd, id, error);
    result = folder_fd < 0 ? folder_fd : copy_file(file, folder_fd, error);
    if (folder_fd >= 0 && result != 0) {
        int incoming = fs_open_directory(application_fd, spool_state_name(SPOOL_INCOMING), NULL);

        if (incoming >= 0) {
            fs_remove_tree(incoming, id, NULL);
            close(incoming);
        }
        close(folder_fd);
    }
    close(application_fd);
    if (result == 0) {
        *ret_folder_fd = folder_fd;
    }
    return result;
}

static uint64_t sender_deadline(const struct engine_run *run)
{
    uint64_t deadline_us = time_monotonic_us() + SENDER_SLACK_US;
    const struct config_stage *transports = &run->pipeline->stages[CAIRN_KIND_TRANSPORT];

    for (size_t i = 0; i < transports->count; i++) {
        deadline_us += run->setup.config->instances[transports->instances[i]].timeout_us;
    }
    return deadline_us;
}

static int send_and_wait(struct engine_run *run, const char *application)
{
    struct engine_arguments arguments = { .count = 0 };
    struct error error;
    int code;

    engine_unlock(run);
    engine_argument(&arguments, "cairn-sender");
    engine_argument_config(&arguments, run->options);
    engine_argument(&arguments, "--spool");
    engine_argument(&arguments, run->setup.config->spool);
    engine_argument(&arguments, "--application");
    engine_argument(&arguments, application);
    engine_argument(&arguments, "--id");
    engine_argument(&arguments, run->id);
    engine_argument(&arguments, "--now");
    code = engine_start_wait("cairn-sender", arguments.items, sender_deadline(run), &error);
    if (code < 0) {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
        return EX_TEMPFAIL;
    }
    return code;
}

static int finish(struct engine_run *run, const char *application)
{
    if (run->state == ENGINE_DROPPED) {
        fprintf(stderr, "cairn-engine: the report was dropped. %s.\n", run->drop_reason);
        return EX_OK;
    }
    puts(run->id);
    fflush(stdout);
    if (run->state == ENGINE_PENDING && run->options->wait) {
        return send_and_wait(run, application);
    }
    engine_deliver(run);
    return EX_OK;
}

static int process(const struct engine_options *options, const struct config *config,
                   const char *application, int file, struct error *error)
{
    char *escaped = text_escape_name(application), *folder = NULL, id[37];
    int result = CAIRN_ENOMEM, folder_fd;
    struct engine_run run;

    text_uuid7(id);
    error_set(error, result, "There is not enough memory for %s.", options->file);
    if (escaped != NULL && asprintf(&folder, "%s/%s", config->spool, escaped) >= 0) {
        result = place(config, application, file, id, &folder_fd, error);
    }
    if (result == 0) {
        result = engine_run_init(&run, options, folder, id, folder_fd, error);
    }
    if (result == 0) {
        result = engine_pipeline(&run, -1, error);
        result = result == 0 ? finish(&run, application) : result;
        engine_run_finish(&run);
    }
    free(escaped);
    free(folder);
    return result;
}

static int import(const struct engine_options *options, const struct config *config,
                  struct error *error)
{
    char *application = NULL;
    int file = open_file(options->file, error), result;

    if (file < 0) {
        return file;
    }
    result = name_application(options, config, file, &application, error);
    if (result == 0) {
        result = process(options, config, application, file, error);
    }
    free(application);
    close(file);
    return result;
}

int engine_import(const struct engine_options *options)
{
    struct plugin_setup setup;
    struct error error;
    int result = engine_setup_load(&setup, options, -1);

    if (result != 0) {
        plugin_setup_print_problems(&setup, STDERR_FILENO);
    } else {
        result = import(options, setup.config, &error);
        if (result < 0) {
            fprintf(stderr, "cairn-engine: %s\n", error.text);
        }
    }
    plugin_setup_finish(&setup);
    /* Positive: an exit code already. */
    return result >= 0 ? result : error_exit_code(result);
}

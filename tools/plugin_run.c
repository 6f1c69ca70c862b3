/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cairn plugin run`: one instance, or one plugin without a configuration, on a report that exists.
 * Prints what it would contribute; the report stays as it is. Runs in a user's shell; the plugin's
 * code in a step.
 */
#include "tools/options.h"
#include "tools/plugin_tools.h"

#include "core/minidump/reader.h"
#include "core/plugin/step.h"
#include "core/report/consent.h"
#include "core/util/fs.h"
#include "core/util/log.h"
#include "core/util/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DUMP_MEDIA_TYPE "application/x-dmp"

struct trial {
    const struct tool *tool;
    struct tool_options options;
    const char *name; /* of the instance, "annotators.host" or "host", or of a plugin */
    struct spool_entry entry;
    struct report *report;
    struct minidump *dump;
    int folder_fd, dump_fd, out_fd;
    struct config *config;
    struct config_problems problems;
    struct plugin_set plugins;
};

/* ---- The report ---- */

static void open_dump(struct trial *trial)
{
    struct error error = { 0, "" };

    for (size_t i = 0; i < trial->report->artifact_count && trial->dump == NULL; i++) {
        const struct report_artifact *artifact = &trial->report->artifacts[i];

        if (artifact->media_type == NULL || strcmp(artifact->media_type, DUMP_MEDIA_TYPE) != 0) {
            continue;
        }
        trial->dump_fd =
            openat(trial->folder_fd, artifact->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (trial->dump_fd >= 0 &&
            minidump_open(trial->dump_fd, artifact->name, &trial->dump, &error) != 0) {
            close(trial->dump_fd);
            trial->dump_fd = -1;
            trial->dump = NULL;
        }
    }
}

static int open_report(struct trial *trial)
{
    const struct tool_options *options = &trial->options;
    const char *id = options->report != NULL ? options->report : "latest";
    struct error error = { 0, "" };
    int code = EX_OK, result;
    const char *spool = tool_spool(trial->tool, options->spool, options->config, &code);

    if (spool == NULL) {
        return code;
    }
    result = spool_find(spool, options->application, id, &trial->entry, &error);
    if (result == 0) {
        trial->folder_fd = result = fs_open_directory(AT_FDCWD, trial->entry.path, &error);
    }
    if (result >= 0) {
        result = spool_load(trial->folder_fd, &trial->report, &error);
    }
    if (result < 0) {
        return tool_fail(trial->tool, error_exit_code(result), "%s", error.text);
    }
    open_dump(trial);
    return EX_OK;
}

/* ---- The instance ---- */

static int report_problems(struct trial *trial, int result)
{
    struct buf text;

    buf_init(&text, 256 * 1024);
    config_print_problems(trial->config, &trial->problems, &text);
    fputs(text.data != NULL ? text.data : "", stderr);
    buf_finish(&text);
    return error_exit_code(result);
}

static int load(struct trial *trial, const struct config_request *request)
{
    int result = config_load_layers(request, &trial->config, &trial->problems);

    if (result == 0) {
        result = plugin_bind(trial->config, &trial->plugins, &trial->problems);
    }
    return result == 0 ? EX_OK : report_problems(trial, result);
}

static bool is_called(const struct config_instance *instance, const char *name)
{
    const char *section = config_section(instance->kind);
    size_t bytes = strlen(section);

    return strcmp(instance->id, name) == 0 ||
           (strncmp(name, section, bytes) == 0 && name[bytes] == '.' &&
            strcmp(name + bytes + 1, instance->id) == 0);
}

/* The instance's index; several of that name are a wrong usage. */
static int find_instance(const struct trial *trial, size_t *ret_index, size_t *ret_count)
{
    size_t count = 0;

    for (size_t i = 0; trial->config != NULL && i < trial->config->instance_count; i++) {
        if (is_called(&trial->config->instances[i], trial->name)) {
            *ret_index = i;
            count++;
        }
    }
    *ret_count = count;
    return count > 1
               ? tool_usage(trial->tool, "There are %zu instances named \"%s\": say \"%s.%s\".",
                            count, trial->name,
                            config_section(trial->config->instances[*ret_index].kind), trial->name)
               : EX_OK;
}

/* What "name" or "kind/name" calls a plugin of the kind; NULL: it names another kind's. */
static const char *name_within(enum cairn_kind kind, const char *name)
{
    const char *slash = strchr(name, '/');
    size_t bytes = strlen(config_kind(kind));

    if (slash == NULL) {
        return name;
    }
    return (size_t)(slash - name) == bytes && strncmp(name, config_kind(kind), bytes) == 0
               ? slash + 1
               : NULL;
}

/* The only plugin of that name, as a configuration that names nothing else. */
static int load_plugin(struct trial *trial)
{
    struct config_request request = { .name = "plugin-run.yaml", .is_copy = true };
    char text[512];
    int fd, code;

    for (enum cairn_kind kind = CAIRN_KIND_FILTER; kind <= CAIRN_KIND_TRANSPORT; kind++) {
        const char *name = name_within(kind, trial->name);
        struct error error = { 0, "" };
        char *path = NULL;

        fd = name != NULL ? plugin_open(kind, name, &path, &error) : -1;
        free(path);
        if (fd < 0) {
            continue;
        }
        close(fd);
        snprintf(text, sizeof(text),
                 "version: 1\n%s: { %s: { plugin: %s } }\npipelines: { default: { %s: [%s] } }\n",
                 config_section(kind), name, name, config_section(kind), name);
        fd = memfd_create("plugin-run.yaml", MFD_CLOEXEC);
        if (fd < 0 || fs_write_all(fd, text, strlen(text)) != 0 || lseek(fd, 0, SEEK_SET) != 0) {
            return tool_fail(trial->tool, EX_OSERR, "A file cannot be made: %s.", strerror(errno));
        }
        request.fd = fd;
        code = load(trial, &request);
        close(fd);
        return code;
    }
    return tool_fail(trial->tool, EX_NOINPUT,
                     "There is neither an instance nor a plugin named \"%s\".", trial->name);
}

/* That of the named configuration, else of what the report was made with, else of none. */
static int choose(struct trial *trial, size_t *ret_index)
{
    struct config_request request = { .path = trial->options.config, .fd = -1 };
    char *own = NULL;
    size_t count;
    int code = EX_OK;

    if (request.path == NULL && faccessat(trial->folder_fd, SPOOL_CONFIGURATION, R_OK, 0) == 0 &&
        asprintf(&own, "%s/%s", trial->entry.path, SPOOL_CONFIGURATION) >= 0) {
        request.path = own;
        request.is_copy = true;
    }
    if (request.path != NULL) {
        code = load(trial, &request);
    }
    free(own);
    if (code == EX_OK) {
        code = find_instance(trial, ret_index, &count);
    }
    if (code != EX_OK || count == 1) {
        return code;
    }
    plugin_set_finish(&trial->plugins);
    config_destroy(trial->config);
    trial->config = NULL;
    code = load_plugin(trial);
    *ret_index = 0;
    return code;
}

/* ---- What it contributes ---- */

static int print_outcome(const struct step_result *result)
{
    static const char *const outcomes[] = { "delivered", "retry", "rejected" };

    fputs(outcomes[result->outcome], stdout);
    if (result->server_id[0] != '\0') {
        printf(" (id %s)", result->server_id);
    }
    if (result->response_code != 0) {
        printf(" (response %d)", result->response_code);
    }
    printf("%s%s\n", result->error[0] != '\0' ? ": " : "", result->error);
    return result->outcome == CAIRN_DELIVERED ? EX_OK : EX_UNAVAILABLE;
}

static int copy_output(const struct trial *trial)
{
    char buffer[65536];
    off_t offset = 0;
    ssize_t got;

    fflush(stdout);
    while ((got = pread(trial->out_fd, buffer, sizeof(buffer), offset)) > 0) {
        if (fs_write_all(STDOUT_FILENO, buffer, (size_t)got) != 0) {
            return EX_IOERR;
        }
        offset += got;
    }
    return got == 0 ? EX_OK : EX_IOERR;
}

/* What came of a call that succeeded. */
static int print_answer(const struct trial *trial, enum cairn_kind kind,
                        const struct step_result *result)
{
    if (kind == CAIRN_KIND_WRITER) {
        return copy_output(trial);
    }
    if (kind == CAIRN_KIND_FILTER) {
        printf("%s%s%s\n", result->action == CAIRN_DROP ? "drop" : "keep",
               result->reason[0] != '\0' ? ": " : "", result->reason);
    }
    return kind == CAIRN_KIND_TRANSPORT ? print_outcome(result) : EX_OK;
}

static int print(const struct trial *trial, const struct config_instance *instance,
                 const struct step_result *result)
{
    int code = EX_OK;

    for (size_t i = 0; i < result->attribute_count; i++) {
        printf("%s: ", result->attributes[i].name);
        tool_print_value(&result->attributes[i].value);
    }
    for (size_t i = 0; i < result->note_count; i++) {
        printf("note: %s\n", result->notes[i]);
    }
    if (result->status == STEP_UNSUPPORTED) {
        puts("nothing: this report has nothing for it");
    } else if (result->status != STEP_OK) {
        return tool_fail(trial->tool, EX_CONFIG, "%s", result->error);
    } else {
        code = print_answer(trial, instance->kind, result);
    }
    return fflush(stdout) == 0 ? code : EX_IOERR;
}

/* Consent counts as it does for engine and sender: a trial of a transport is a delivery. */
static int ask_consent(const struct trial *trial, size_t index)
{
    bool required = trial->config->network_consent == CONFIG_CONSENT_REQUIRED;
    enum consent_verdict verdict = CONSENT_MISSING;
    struct error why;

    if (!plugin_uses_network(&trial->config->instances[index], trial->plugins.facts[index]) ||
        (consent_ask(CONSENT_NETWORK, trial->report->application, required, &verdict, &why) == 0 &&
         verdict == CONSENT_ALLOWED)) {
        return EX_OK;
    }
    return tool_fail(trial->tool, EX_NOPERM, "%s %s",
                     trial->config->instances[index].kind == CAIRN_KIND_TRANSPORT
                         ? "Not sent."
                         : "Not run, because it can use the network.",
                     why.text);
}

static int try_instance(struct trial *trial, size_t index)
{
    const struct config_instance *instance = &trial->config->instances[index];
    struct step_request request = { .instance = instance,
                                    .facts = trial->plugins.facts[index],
                                    .plugin_fd = trial->plugins.fds[index],
                                    .report = trial->report,
                                    .dump = trial->dump,
                                    .dump_fd = trial->dump_fd,
                                    .folder = trial->entry.path,
                                    .out_fd = -1,
                                    .attempt = 1 };
    struct step_result result;
    int code;

    if (instance->kind == CAIRN_KIND_WRITER) {
        request.out_fd = trial->out_fd = memfd_create(instance->id, MFD_CLOEXEC);
        if (trial->out_fd < 0) {
            return tool_fail(trial->tool, EX_OSERR, "A file cannot be made: %s.", strerror(errno));
        }
    }
    log_init("cairn plugin run", STDERR_FILENO, LOG_LEVEL_INFO); /* also what it prints */
    step_run(&request, &result);
    code = print(trial, instance, &result);
    step_result_finish(&result);
    return code;
}

/* ---- The command ---- */

static void close_if_open(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

static void trial_finish(struct trial *trial)
{
    plugin_set_finish(&trial->plugins);
    config_destroy(trial->config);
    config_problems_finish(&trial->problems);
    minidump_close(trial->dump);
    report_destroy(trial->report);
    spool_entry_finish(&trial->entry);
    close_if_open(trial->folder_fd);
    close_if_open(trial->dump_fd);
    close_if_open(trial->out_fd);
}

int plugin_run(const struct tool *tool, int argc, char **argv)
{
    struct trial trial = { .tool = tool, .folder_fd = -1, .dump_fd = -1, .out_fd = -1 };
    size_t index = 0;
    int code = tool_parse(tool, "csar", argc, argv, &trial.options);

    if (code != TOOL_GO_ON) {
        return code;
    }
    if (argc - optind != 1) {
        return tool_usage(tool, "Exactly one instance or plugin must be named.");
    }
    trial.name = argv[optind];
    config_problems_init(&trial.problems);
    code = open_report(&trial);
    if (code == EX_OK) {
        code = choose(&trial, &index);
    }
    if (code == EX_OK) {
        code = ask_consent(&trial, index);
    }
    if (code == EX_OK) {
        code = try_instance(&trial, index);
    }
    trial_finish(&trial);
    return code;
}

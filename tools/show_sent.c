/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a transport would send of a report: it is run as the sender runs it, in a step without the
 * network, and hands over what it would have transferred. Runs in a user's shell.
 */
#include "tools/show_sent.h"

#include "core/plugin/setup.h"
#include "core/plugin/step.h"
#include "core/util/fs.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct showing {
    const struct tool *tool;
    const struct tool_options *options;
    const struct spool_entry *entry;
    struct report *report;
    struct plugin_setup setup;
    size_t index; /* of the transport's instance */
    int folder_fd, out_fd;
    struct preview preview;
    struct sent_part *parts; /* as many as the preview has */
};

/* ---- The report and the transport ---------------------------------------------------------- */

static int open_report(struct showing *showing)
{
    struct error error;
    int result = showing->folder_fd = fs_open_directory(AT_FDCWD, showing->entry->path, &error);

    if (result >= 0) {
        result = spool_load(showing->folder_fd, &showing->report, &error);
    }
    return result >= 0 ? EX_OK
                       : tool_fail(showing->tool, error_exit_code(result), "%s: %s",
                                   showing->entry->path, error.text);
}

/* The one that is named, else what the report was made with, as the sender has it. */
static int open_setup(struct showing *showing)
{
    const struct config_request request = { .path = showing->options->config, .fd = -1 };
    const char *name = showing->report->configuration;
    int result = request.path != NULL
                     ? plugin_setup_load(&showing->setup, &request)
                     : plugin_setup_load_own(&showing->setup, showing->folder_fd,
                                             name != NULL ? name : SPOOL_CONFIGURATION);

    if (result != 0) {
        plugin_setup_print_problems(&showing->setup, STDERR_FILENO);
    }
    return error_exit_code(result);
}

static int find_transport(struct showing *showing)
{
    const struct config *config = showing->setup.config;
    const char *id = showing->options->as_sent;
    size_t index = 0;

    while (index < config->instance_count &&
           (config->instances[index].kind != CAIRN_KIND_TRANSPORT ||
            strcmp(config->instances[index].id, id) != 0)) {
        index++;
    }
    if (index == config->instance_count) {
        return tool_fail(showing->tool, EX_NOINPUT, "The configuration has no transport \"%s\".",
                         id);
    }
    showing->index = index;
    if ((showing->setup.plugins.facts[index]->capabilities & CAIRN_CAP_PREVIEW) == 0) {
        return tool_fail(showing->tool, EX_UNAVAILABLE,
                         "The plugin %s cannot show what it sends, and was not asked.",
                         config->instances[index].plugin);
    }
    return EX_OK;
}

/* ---- The step ------------------------------------------------------------------------------ */

static unsigned next_attempt(const struct report *report, const char *transport)
{
    for (size_t i = 0; i < report->delivery_count; i++) {
        if (strcmp(report->deliveries[i].transport, transport) == 0) {
            return report->deliveries[i].attempts + 1;
        }
    }
    return 1;
}

static int judge(const struct showing *showing, const struct step_result *result)
{
    const struct config_instance *instance = &showing->setup.config->instances[showing->index];
    char error[512];

    if (result->status == STEP_UNSUPPORTED) {
        return tool_fail(showing->tool, EX_DATAERR,
                         "Nothing would be sent: there is nothing in "
                         "this report for the transport.");
    }
    config_scrub(instance, result->error, error, sizeof(error));
    if (result->status != STEP_OK) {
        return tool_fail(showing->tool, EX_CONFIG, "%s", error);
    }
    return result->outcome == CAIRN_DELIVERED
               ? EX_OK
               : tool_fail(showing->tool, EX_DATAERR, "Nothing would be sent: %s", error);
}

static int run_step(struct showing *showing)
{
    const struct config_instance *instance = &showing->setup.config->instances[showing->index];
    struct step_request request = { .instance = instance,
                                    .facts = showing->setup.plugins.facts[showing->index],
                                    .plugin_fd = showing->setup.plugins.fds[showing->index],
                                    .report = showing->report,
                                    .dump_fd = -1,
                                    .folder = showing->entry->path,
                                    .attempt = next_attempt(showing->report, instance->id),
                                    .preview = true };
    struct step_result result;
    struct error error;
    int code;

    request.out_fd = showing->out_fd = memfd_create("cairn-preview", MFD_CLOEXEC);
    if (showing->out_fd < 0) {
        return tool_fail(showing->tool, EX_OSERR, "A file cannot be made: %s.", strerror(errno));
    }
    log_init("cairn show", STDERR_FILENO, LOG_LEVEL_WARNING);
    step_run(&request, &result);
    code = judge(showing, &result);
    step_result_finish(&result);
    if (code == EX_OK) {
        int read = preview_read(showing->out_fd, instance, &showing->preview, &error);

        code =
            read == 0 ? EX_OK : tool_fail(showing->tool, error_exit_code(read), "%s", error.text);
    }
    return code;
}

/* ---- The content of the parts -------------------------------------------------------------- */

static int open_content(const struct showing *showing, const struct preview_part *part)
{
    const char *path = part->texts[PREVIEW_PATH];
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;

    if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))) {
        close(fd);
        fd = -1;
        errno = EINVAL;
    }
    if (fd < 0) {
        tool_fail(showing->tool, EX_NOINPUT, "%s cannot be read: %s.", path, strerror(errno));
    }
    return fd;
}

/* By its first bytes. */
static const char *packing(const void *data, size_t bytes)
{
    return bytes >= 4 && memcmp(data, "\x28\xb5\x2f\xfd", 4) == 0 ? "zstd"
           : bytes >= 2 && memcmp(data, "\x1f\x8b", 2) == 0       ? "gzip"
                                                                  : NULL;
}

static int describe_file(const struct showing *showing, struct sent_part *sent)
{
    struct stat status;
    int fd, code = EX_OK;
    char head[4];
    ssize_t got;

    if (sent->part->texts[PREVIEW_PATH] == NULL) {
        sent->bytes = sent->part->bytes;
        sent->packed = packing(sent->part->data, sent->part->bytes);
        text_sha256(sent->part->data, sent->part->bytes, sent->sha256);
        return EX_OK;
    }
    fd = open_content(showing, sent->part);
    if (fd < 0) {
        return EX_NOINPUT;
    }
    if (fstat(fd, &status) != 0 || text_sha256_fd(fd, sent->sha256) != 0) {
        code = tool_fail(showing->tool, EX_IOERR, "%s cannot be read.",
                         sent->part->texts[PREVIEW_PATH]);
    }
    sent->bytes = (uint64_t)status.st_size;
    got = pread(fd, head, sizeof(head), 0);
    sent->packed = packing(head, got > 0 ? (size_t)got : 0);
    close(fd);
    return code;
}

static int describe(struct showing *showing)
{
    int code = EX_OK;

    showing->parts = calloc(showing->preview.count + 1, sizeof(*showing->parts));
    if (showing->parts == NULL) {
        return tool_fail(showing->tool, EX_OSERR, "There is not enough memory.");
    }
    for (size_t i = 0; code == EX_OK && i < showing->preview.count; i++) {
        struct sent_part *sent = &showing->parts[i];

        sent->part = &showing->preview.parts[i];
        sent->bytes = sent->part->bytes;
        if (sent->part->kind == CAIRN_PREVIEW_FILE) {
            code = describe_file(showing, sent);
        }
    }
    return code;
}

/* ---- A folder of it ------------------------------------------------------------------------ */

/* "003-<name>", with nothing in it that a shell or a folder would mind. */
static void name_stored(struct sent_part *sent, size_t number)
{
    int at = snprintf(sent->stored, sizeof(sent->stored), "%03zu-%.100s", number,
                      sent->part->texts[PREVIEW_NAME]);

    for (int i = 0; i < at; i++) {
        if (!isalnum((unsigned char)sent->stored[i]) && strchr("._-", sent->stored[i]) == NULL) {
            sent->stored[i] = '_';
        }
    }
}

static int copy_content(const struct showing *showing, const struct sent_part *sent, int to)
{
    char buffer[65536];
    ssize_t got;
    int fd, result = 0;

    if (sent->part->texts[PREVIEW_PATH] == NULL) {
        return fs_write_all(to, sent->part->data, sent->part->bytes);
    }
    fd = open_content(showing, sent->part);
    if (fd < 0) {
        return CAIRN_ESYSTEM;
    }
    while (result == 0 && (got = read(fd, buffer, sizeof(buffer))) != 0) {
        if (got < 0 && errno != EINTR) {
            result = CAIRN_ESYSTEM;
        } else if (got > 0) {
            result = fs_write_all(to, buffer, (size_t)got);
        }
    }
    close(fd);
    return result;
}

static int store(const struct showing *showing, int folder, const struct sent_part *sent)
{
    int to =
        openat(folder, sent->stored, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int result = to < 0 ? CAIRN_ESYSTEM : copy_content(showing, sent, to);

    if (result != 0) {
        tool_fail(showing->tool, EX_CANTCREAT, "%s/%s cannot be written: %s.",
                  showing->options->output, sent->stored, strerror(errno));
    }
    if (to >= 0) {
        close(to);
    }
    return result == 0 ? EX_OK : EX_CANTCREAT;
}

static int store_description(const struct showing *showing, int folder)
{
    int fd =
        openat(folder, "request.json", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (out != NULL) {
        show_sent_json(out, &showing->setup.config->instances[showing->index], showing->parts,
                       showing->preview.count);
    } else if (fd >= 0) {
        close(fd);
    }
    return out != NULL && fclose(out) == 0
               ? EX_OK
               : tool_fail(showing->tool, EX_CANTCREAT, "%s/request.json cannot be written.",
                           showing->options->output);
}

static int store_all(struct showing *showing)
{
    const char *output = showing->options->output;
    int folder = mkdir(output, 0700) == 0
                     ? open(output, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                     : -1;
    size_t number = 0;
    int code = EX_OK;

    if (folder < 0) {
        return tool_fail(showing->tool, EX_CANTCREAT, "The folder %s cannot be made: %s.", output,
                         strerror(errno));
    }
    for (size_t i = 0; code == EX_OK && i < showing->preview.count; i++) {
        struct sent_part *sent = &showing->parts[i];

        if (sent->part->kind == CAIRN_PREVIEW_FIELD || sent->part->kind == CAIRN_PREVIEW_FILE) {
            name_stored(sent, number++);
            code = store(showing, folder, sent);
        }
    }
    code = code == EX_OK ? store_description(showing, folder) : code;
    close(folder);
    return code;
}

/* -------------------------------------------------------------------------------------------- */

static int print(struct showing *showing)
{
    int code = showing->options->output != NULL ? store_all(showing) : EX_OK;

    if (code == EX_OK && showing->options->json) {
        show_sent_json(stdout, &showing->setup.config->instances[showing->index], showing->parts,
                       showing->preview.count);
    } else if (code == EX_OK) {
        show_sent_text(showing->parts, showing->preview.count);
    }
    return code == EX_OK && fflush(stdout) != 0 ? EX_IOERR : code;
}

static void close_if_open(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

int show_sent(const struct tool *tool, const struct tool_options *options,
              const struct spool_entry *entry)
{
    static int (*const stages[])(struct showing *) = { open_report, open_setup, find_transport,
                                                       run_step,    describe,   print };
    struct showing showing = {
        .tool = tool, .options = options, .entry = entry, .folder_fd = -1, .out_fd = -1
    };
    int code = EX_OK;

    for (size_t i = 0; code == EX_OK && i < sizeof(stages) / sizeof(stages[0]); i++) {
        code = stages[i](&showing);
    }
    free(showing.parts);
    preview_finish(&showing.preview);
    plugin_setup_finish(&showing.setup);
    report_destroy(showing.report);
    close_if_open(showing.folder_fd);
    close_if_open(showing.out_fd);
    return code;
}

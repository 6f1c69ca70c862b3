/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotator/file: the last lines of a text file, such as the program's log, as an attribute. A log
 * that was rotated a moment ago is continued with what lies beside it as "<path>.1". Never follows
 * a link, never waits for a device or a pipe. Runs in a step of the engine, after the crash: a
 * program that was restarted meanwhile may have written more.
 */
#include "plugins/common/fd.h"
#include "plugins/common/utf8.h"

#include <cairn/plugin.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_BYTES  65536 /* what an attribute can hold */
#define NAME_BYTES 129

struct config {
    const char *path, *attribute;
    int64_t lines;
    uint64_t bytes;
    int32_t rotated;
};

static const struct cairn_option options[] = {
    { .name = "path",
      .type = CAIRN_OPTION_PATH,
      .flags = CAIRN_OPTION_REQUIRED,
      .offset = offsetof(struct config, path),
      .help = "The file; a regular one, no link." },
    { .name = "attribute",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, attribute),
      .help = "The attribute that receives the text; without it file.INSTANCE." },
    { .name = "lines",
      .type = CAIRN_OPTION_INTEGER,
      .offset = offsetof(struct config, lines),
      .default_text = "50",
      .min = 1,
      .max = 10000,
      .help = "How many of the last lines are taken." },
    { .name = "bytes",
      .type = CAIRN_OPTION_SIZE,
      .offset = offsetof(struct config, bytes),
      .default_text = "16KiB",
      .min = 1,
      .max = MAX_BYTES,
      .help = "How long the text may become; the line that is cut by it is left out." },
    { .name = "rotated",
      .type = CAIRN_OPTION_BOOL,
      .offset = offsetof(struct config, rotated),
      .default_text = "true",
      .help = "Take what is missing from the file of the same name with \".1\" at its end." },
    { .name = NULL },
};

static int is_attribute_name(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789._-");

    return length > 0 && length < NAME_BYTES && name[length] == '\0';
}

static int check(const struct cairn_host *host, const void *options_)
{
    const struct config *config = options_;

    if (config->attribute != NULL && !is_attribute_name(config->attribute)) {
        return host->problem(host, "attribute",
                             "\"%.140s\" cannot name an attribute: 1 to 128 of A-Z a-z 0-9 . _ -",
                             config->attribute);
    }
    return CAIRN_PLUGIN_OK;
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

/* ---- Reading ---- */

/* The text under construction grows towards the front of its buffer. */
struct tail {
    char buffer[MAX_BYTES + 1];
    size_t start; /* of the text, which ends with the buffer */
    size_t room;  /* bytes that may still be added */
    size_t lines; /* that may still be added */
};

/* The last `room` bytes of the file before `size`; the count or -1 with errno. */
static ssize_t read_end(int fd, off_t size, char *target, size_t room)
{
    off_t from = size > (off_t)room ? size - (off_t)room : 0;

    return fd_read(fd, target, (size_t)(size - from), from);
}

/* Where the last lines begin in `text`, at most as many as are left. A file's last line break ends
 * its last line. When the text is the end of something longer, its first line is not whole. */
static size_t find_start(const char *text, size_t bytes, int cut, size_t *lines)
{
    size_t start = bytes, place = bytes;

    while (place > 0 && *lines > 0) {
        place--;
        if (place == 0 && !cut) {
            start = 0;
            (*lines)--;
        } else if (place > 0 && text[place - 1] == '\n') {
            start = place;
            (*lines)--;
        }
    }
    return start;
}

static int open_regular(const char *path, off_t *ret_size)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;

    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    *ret_size = status.st_size;
    return fd;
}

/* Puts the file's last lines in front of what the tail has. 0 or -1 with errno. */
static int prepend(struct tail *tail, const char *path)
{
    off_t size = 0;
    int fd = open_regular(path, &size), cut;
    char *text = fd >= 0 && tail->room > 0 ? malloc(tail->room) : NULL;
    ssize_t bytes = text != NULL ? read_end(fd, size, text, tail->room) : -1;
    int number = errno;

    if (fd >= 0) {
        close(fd);
    }
    if (bytes > 0) {
        cut = (off_t)bytes < size;
        size_t start = find_start(text, (size_t)bytes, cut, &tail->lines);

        tail->start -= (size_t)bytes - start;
        tail->room = cut ? 0 : tail->room - ((size_t)bytes - start);
        memcpy(tail->buffer + tail->start, text + start, (size_t)bytes - start);
    }
    free(text);
    errno = number;
    return bytes >= 0 ? 0 : -1;
}

/* ---- Text for an attribute ---- */

/* What a log should not have becomes "?", one for one, so that the text grows no longer. */
static void clean(char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes;) {
        uint32_t code = 0;
        size_t length = utf8_sequence(text + i, bytes - i, &code);

        if (length == 0 || (code < 0x20 && code != '\n' && code != '\t') || code == 0x7f) {
            text[i] = '?';
            length = 1;
        }
        i += length;
    }
}

static int set(const struct config *config, const struct cairn_host *host, struct tail *tail)
{
    char name[NAME_BYTES + 8];
    char *text = tail->buffer + tail->start;

    tail->buffer[MAX_BYTES] = '\0';
    clean(text, MAX_BYTES - tail->start);
    snprintf(name, sizeof(name), "file.%s", host->instance(host));
    if (host->set_string(host, config->attribute != NULL ? config->attribute : name, text) != 0) {
        return host->fail(host, "The attribute could not be set.");
    }
    return CAIRN_PLUGIN_OK;
}

/* The file, and before it what was rotated away. One of them may be absent. 0 or -1 with errno. */
static int collect(const struct config *config, struct tail *tail, const char *rotated)
{
    int result = prepend(tail, config->path);
    int number = errno;

    if (!config->rotated || (result != 0 && number != ENOENT)) {
        errno = number;
        return result;
    }
    if (tail->room > 0 && tail->lines > 0 && prepend(tail, rotated) == 0) {
        result = 0;
    }
    errno = number;
    return result;
}

static int annotate(void *context, struct cairn_annotator_args *args)
{
    const struct config *config = context;
    const struct cairn_host *host = args->host;
    struct tail *tail = malloc(sizeof(*tail));
    char *rotated = NULL;
    int status;

    if (tail == NULL || asprintf(&rotated, "%s.1", config->path) < 0) {
        free(tail);
        return host->fail(host, "There is no memory to read %s.", config->path);
    }
    tail->start = MAX_BYTES;
    tail->room = (size_t)config->bytes;
    tail->lines = (size_t)config->lines;
    if (collect(config, tail, rotated) != 0) {
        status = host->fail(host, "The file %s cannot be read: %s.", config->path,
                            errno == EINVAL ? "it is not a regular file" : strerror(errno));
    } else {
        status = tail->start < MAX_BYTES ? set(config, host, tail) : CAIRN_PLUGIN_UNSUPPORTED;
    }
    free(rotated);
    free(tail);
    return status;
}

static const struct cairn_annotator_ops ops = {
    .size = sizeof(ops),
    .check = check,
    .create = create,
    .annotate = annotate,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_ANNOTATOR),
    .capabilities = CAIRN_CAP_PERSONAL_DATA,
    .name = "file",
    .version = "1.0.0",
    .summary = "Adds the last lines of a text file, such as the program's log.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_ANNOTATOR, "file");

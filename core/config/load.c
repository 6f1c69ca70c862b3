/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a file to a checked configuration. Every process but the crashed one; the file is read with
 * bounds and never waited for.
 */
#include "core/config/internal.h"

#include "core/util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const kinds[] = { "", "filter", "annotator", "writer", "hook", "transport" };
static const char *const sections[] = { "",        "filters", "annotators",
                                        "writers", "hooks",   "transports" };

const char *config_kind(enum cairn_kind kind)
{
    return (size_t)kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[kind] : "";
}

const char *config_section(enum cairn_kind kind)
{
    return (size_t)kind < sizeof(sections) / sizeof(sections[0]) ? sections[kind] : "";
}

/* ---- Reading the file ---------------------------------------------------------------------- */

static int refuse(struct config_problems *problems, const char *name, int code, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

static int refuse(struct config_problems *problems, const char *name, int code, const char *format,
                  ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    config_problem_add(problems, (struct config_position){ name, 0, 0 }, "", "%s", text);
    return code;
}

/* Reads from offset 0, wherever the descriptor stands: several processes may share it. */
static int read_all(int fd, const char *name, struct buf *text, struct config_problems *problems)
{
    char part[4096];

    for (;;) {
        ssize_t got = pread(fd, part, sizeof(part), (off_t)text->bytes);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return refuse(problems, name, CAIRN_ESYSTEM, "the file cannot be read: %s",
                          strerror(errno));
        }
        if (buf_add(text, part, (size_t)got) == CAIRN_ETOOLONG) {
            return refuse(problems, name, CAIRN_ECONFIG, "the file is larger than 1 MiB");
        }
        if (text->failed != 0) {
            return refuse(problems, name, CAIRN_ENOMEM, "there is not enough memory to read it");
        }
        if (got == 0) {
            return 0;
        }
    }
}

static int read_source(int fd, const char *name, struct buf *text, struct config_problems *problems)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return refuse(problems, name, CAIRN_ESYSTEM, "the file cannot be read: %s",
                      strerror(errno));
    }
    if (S_ISDIR(status.st_mode)) {
        return refuse(problems, name, CAIRN_ESYSTEM, "this is a folder, not a file");
    }
    if (!S_ISREG(status.st_mode)) {
        return refuse(problems, name, CAIRN_ESYSTEM, "this is not a regular file");
    }
    return read_all(fd, name, text, problems);
}

static int open_source(const char *path, struct buf *text, struct config_problems *problems)
{
    /* Non-blocking, so that a FIFO in the place of the file cannot stop us. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int result;

    if (fd < 0) {
        return errno == ENOENT ? refuse(problems, path, CAIRN_ENOENT, "there is no such file")
                               : refuse(problems, path, CAIRN_ESYSTEM,
                                        "the file cannot be opened: %s", strerror(errno));
    }
    result = read_source(fd, path, text, problems);
    close(fd);
    return result;
}

/* The absolute folder of a file, where relative paths in it start. */
static char *folder_of(const char *path)
{
    char current[PATH_MAX] = "", *folder = NULL;
    const char *slash = strrchr(path, '/');
    int length = slash != NULL ? (int)(slash - path) : 0;

    if (path[0] == '/') {
        return length > 0 ? strndup(path, (size_t)length) : strdup("/");
    }
    if (getcwd(current, sizeof(current)) == NULL || current[0] != '/') {
        return NULL;
    }
    if (asprintf(&folder, "%s%s%.*s", current, length > 0 ? "/" : "", length, path) < 0) {
        return NULL;
    }
    return folder;
}

/* ---- The configuration --------------------------------------------------------------------- */

static struct config *create(const char *name, bool is_file, struct buf *text)
{
    struct config *config = calloc(1, sizeof(*config));
    struct config_arena *arena = calloc(1, sizeof(*arena));

    if (config == NULL || arena == NULL) {
        free(config);
        free(arena);
        return NULL;
    }
    config->arena = arena;
    config->name = config_arena_text(arena, name);
    config->source_bytes = text->bytes;
    config->source = buf_take(text);
    if (is_file || name[0] == '/') {
        arena->folder = folder_of(name);
    }
    if (config->name == NULL || config->source == NULL) {
        config_destroy(config);
        return NULL;
    }
    return config;
}

static void check_version(struct config_check *check, const struct config_node *root)
{
    const struct config_node *node = config_get(root, "version");
    char quoted[CONFIG_QUOTED_BYTES];

    if (node == NULL || config_is_null(node)) {
        config_complain(check, node != NULL ? node : root,
                        "the version is missing; write \"version: 1\"");
    } else if (config_expect(check, node, CONFIG_SCALAR) && strcmp(node->text, "1") != 0) {
        config_complain(check, node, "this Cairn reads version 1, not %s",
                        config_quote_node(node, quoted));
    }
}

static void check_all(struct config_check *check, struct config_node *root)
{
    static const char *const keys[] = { "version",    "application", "engine", "filters",
                                        "annotators", "writers",     "hooks",  "transports",
                                        "pipelines",  NULL };
    static const struct config_table table = { .others = keys };

    if (root->kind != CONFIG_MAP) {
        config_problem_add(check->problems, root->position, "",
                           "the top level must be a map, as in \"version: 1\"");
        return;
    }
    config_substitute(check, root);
    config_keys_check(check, root, &table);
    check_version(check, root);
    config_read_application(check, root);
    config_read_engine(check, root);
    config_read_instances(check, root);
    if (!check->no_memory) {
        config_read_pipelines(check, root);
    }
}

int config_check_end(struct config_check *check, size_t errors_before)
{
    if (check->no_memory) {
        return refuse(check->problems, check->config->name, CAIRN_ENOMEM,
                      "there is not enough memory to check it");
    }
    return check->problems->errors == errors_before ? 0 : CAIRN_ECONFIG;
}

int config_load(const char *path, int fd, const char *name, struct config **ret_config,
                struct config_problems *problems)
{
    struct config_check check = { .problems = problems };
    size_t errors = problems->errors;
    struct buf text;
    int result;

    if (path != NULL) {
        name = path;
    }
    buf_init(&text, CONFIG_MAX_BYTES);
    result =
        path != NULL ? open_source(path, &text, problems) : read_source(fd, name, &text, problems);
    if (result != 0) {
        buf_finish(&text);
        return result;
    }
    check.config = create(name, path != NULL, &text);
    buf_finish(&text);
    if (check.config == NULL) {
        return refuse(problems, name, CAIRN_ENOMEM, "there is not enough memory to read it");
    }
    *ret_config = check.config;
    check.arena = check.config->arena;
    check.config->root = config_parse(check.config->name, check.config->source,
                                      check.config->source_bytes, problems);
    if (check.config->root != NULL) {
        check_all(&check, check.config->root);
    }
    return config_check_end(&check, errors);
}

void config_destroy(struct config *config)
{
    if (config == NULL) {
        return;
    }
    config_node_destroy(config->root);
    config_arena_destroy(config->arena);
    free(config->source);
    free(config);
}

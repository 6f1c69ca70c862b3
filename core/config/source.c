/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files and texts that a configuration is made of: read with bounds, never waited for, kept
 * with their folder for relative paths and with their text for carets. Every process but the
 * crashed one.
 */
#include "core/config/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int config_refuse(struct config_problems *problems, const char *name, int code, const char *format,
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
            return config_refuse(problems, name, CAIRN_ESYSTEM, "the file cannot be read: %s",
                                 strerror(errno));
        }
        if (buf_add(text, part, (size_t)got) == CAIRN_ETOOLONG) {
            return config_refuse(problems, name, CAIRN_ECONFIG, "the file is larger than 1 MiB");
        }
        if (text->failed != 0) {
            return config_refuse(problems, name, CAIRN_ENOMEM,
                                 "there is not enough memory to read it");
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
        return config_refuse(problems, name, CAIRN_ESYSTEM, "the file cannot be read: %s",
                             strerror(errno));
    }
    if (S_ISDIR(status.st_mode)) {
        return config_refuse(problems, name, CAIRN_ESYSTEM, "this is a folder, not a file");
    }
    if (!S_ISREG(status.st_mode)) {
        return config_refuse(problems, name, CAIRN_ESYSTEM, "this is not a regular file");
    }
    return read_all(fd, name, text, problems);
}

static int open_and_read(const char *path, struct buf *text, struct config_problems *problems)
{
    /* Non-blocking, so that a FIFO in the place of the file cannot stop us. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int result;

    if (fd < 0) {
        return errno == ENOENT
                   ? config_refuse(problems, path, CAIRN_ENOENT, "there is no such file")
                   : config_refuse(problems, path, CAIRN_ESYSTEM, "the file cannot be opened: %s",
                                   strerror(errno));
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

/* ---- Keeping it ---------------------------------------------------------------------------- */

int config_source_read(const char *path, int fd, const char *name, struct buf *ret_text,
                       struct config_problems *problems)
{
    buf_init(ret_text, CONFIG_MAX_BYTES);
    return path != NULL ? open_and_read(path, ret_text, problems)
                        : read_source(fd, name, ret_text, problems);
}

struct config_source *config_source_keep(struct config_arena *arena, const char *name, bool is_file,
                                         struct buf *text)
{
    struct config_source *source = config_arena_take(arena, sizeof(*source));
    struct config_source **link = &arena->sources;
    char *copy = config_arena_text(arena, name);

    if (source == NULL || copy == NULL) {
        return NULL;
    }
    source->name = copy;
    source->bytes = text->bytes;
    source->text = buf_take(text);
    source->folder = is_file || name[0] == '/' ? folder_of(name) : NULL;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = source;
    return source->text != NULL ? source : NULL;
}

void config_source_raise(struct config_arena *arena, const char *name)
{
    struct config_source **link = &arena->sources, *raised = NULL;

    while (*link != NULL) {
        if (raised == NULL && strcmp((*link)->name, name) == 0) {
            raised = *link;
            *link = raised->next;
            raised->next = NULL;
        } else {
            link = &(*link)->next;
        }
    }
    *link = raised;
}

const struct config_source *config_source_find(const struct config_arena *arena, const char *file)
{
    for (const struct config_source *s = arena->sources; s != NULL && file != NULL; s = s->next) {
        if (strcmp(s->name, file) == 0) {
            return s;
        }
    }
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Substitution inside scalars: ${env:NAME}, ${env:NAME:-default}, ${file:/path}, $$ for a $. What
 * comes in is text and stays text: it is never read as YAML, never substituted again, never shown.
 * Every process but the crashed one.
 */
#include "core/config/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE_BYTES   (64u * 1024u)
#define MAX_SCALAR_BYTES (256u * 1024u)
#define MAX_TOTAL_BYTES  (4u * 1024u * 1024u)

struct substitution {
    struct config_check *check;
    struct config_node *node;
    struct buf result;
    size_t dollars; /* seen so far in the scalar */
    bool secret, failed;
};

/* The place of the n-th $ of the scalar in the file; the scalar's own where escapes make the two
 * differ in their number. */
static struct config_position dollar_position(const struct substitution *s)
{
    struct config_position position = s->node->position;
    const struct config_source *source = config_source_find(s->check->arena, position.file);
    struct config_cursor cursor;
    size_t in_text = 0, in_source = 0;

    for (const char *c = strchr(s->node->text, '$'); c != NULL; c = strchr(c + 1, '$')) {
        in_text++;
    }
    if (source == NULL) {
        return position;
    }
    config_cursor_init(&cursor, source->text, source->bytes);
    if (!config_cursor_seek(&cursor, position)) {
        return position;
    }
    while (cursor.offset < cursor.bytes && config_cursor_before(&cursor, s->node->end)) {
        if (cursor.data[cursor.offset] == '$' && ++in_source == s->dollars) {
            position.line = cursor.line;
            position.column = cursor.column;
        }
        config_cursor_next(&cursor);
    }
    return in_source == in_text ? position : s->node->position;
}

static void fail(struct substitution *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void fail(struct substitution *s, const char *format, ...)
{
    struct config_position position = s->node->position;
    char path[512], text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    s->failed = true;
    if (!config_is_full(s->check)) {
        position = dollar_position(s);
    }
    config_problem_add(s->check->problems, position, config_node_path(s->node, path, sizeof(path)),
                       "%s", text);
}

/* Adds what a substitution brought in. */
static void bring_in(struct substitution *s, const char *what, const char *data, size_t bytes)
{
    struct config_arena *arena = s->check->arena;

    if (!config_is_text(data, bytes)) {
        fail(s, "%s does not hold plain UTF-8 text", what);
        return;
    }
    if (bytes > MAX_TOTAL_BYTES - arena->substituted) {
        fail(s, "the substitutions of this file bring in more than 4 MiB");
        return;
    }
    arena->substituted += bytes;
    s->secret = true;
    buf_add(&s->result, data, bytes);
}

static bool is_variable(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    return name[0] != '\0' && strchr(letters, name[0]) != NULL && strspn(name, all) == strlen(name);
}

static void from_environment(struct substitution *s, char *name)
{
    char *fallback = strstr(name, ":-");
    char what[CONFIG_QUOTED_BYTES + 32], quoted[CONFIG_QUOTED_BYTES];
    const char *value;

    if (fallback != NULL) {
        *fallback = '\0';
        fallback += 2;
    }
    if (!is_variable(name)) {
        fail(s, "%s is not the name of an environment variable", config_quote(name, quoted));
        return;
    }
    value = getenv(name);
    if (fallback != NULL && (value == NULL || value[0] == '\0')) {
        buf_text(&s->result, fallback);
    } else if (value == NULL) {
        fail(s,
             "the environment variable %.60s is not set (${env:%.60s:-text} would name a default)",
             name, name);
    } else {
        snprintf(what, sizeof(what), "the environment variable %.60s", name);
        bring_in(s, what, value, strlen(value));
    }
}

/* Why a file may not be read for a secret, or NULL. */
static const char *objection(const struct stat *status)
{
    if (S_ISDIR(status->st_mode)) {
        return "is a folder";
    }
    if (!S_ISREG(status->st_mode)) {
        return "is not a regular file";
    }
    if ((status->st_mode & S_IROTH) != 0) {
        return "can be read by everyone; take that right away (chmod o-r)";
    }
    return NULL;
}

/* Reads the open file; the number of bytes, or -1 with errno (EFBIG: too large). */
static ssize_t read_secret(int fd, char *data, size_t capacity)
{
    size_t used = 0;

    while (used < capacity) {
        ssize_t got = pread(fd, data + used, capacity - used, (off_t)used);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? (ssize_t)used : -1;
        }
        used += (size_t)got;
    }
    errno = EFBIG;
    return -1;
}

static void from_open_file(struct substitution *s, int fd, const char *quoted)
{
    char *data = malloc(MAX_FILE_BYTES + 1);
    struct stat status;
    ssize_t bytes;

    if (data == NULL) {
        s->failed = s->check->no_memory = true;
    } else if (fstat(fd, &status) != 0) {
        fail(s, "the file %s cannot be read: %s", quoted, strerror(errno));
    } else if (objection(&status) != NULL) {
        fail(s, "the file %s %s", quoted, objection(&status));
    } else if ((bytes = read_secret(fd, data, MAX_FILE_BYTES + 1)) < 0 && errno == EFBIG) {
        fail(s, "the file %s is larger than 64 KiB", quoted);
    } else if (bytes < 0) {
        fail(s, "the file %s cannot be read: %s", quoted, strerror(errno));
    } else {
        char what[CONFIG_QUOTED_BYTES + 16];

        bytes -= bytes > 0 && data[bytes - 1] == '\n' ? 1 : 0;
        snprintf(what, sizeof(what), "the file %s", quoted);
        bring_in(s, what, data, (size_t)bytes);
    }
    free(data);
}

static void from_file(struct substitution *s, const char *path)
{
    char quoted[CONFIG_QUOTED_BYTES];
    int fd;

    config_quote(path, quoted);
    if (path[0] != '/') {
        fail(s, "the file %s is not named by an absolute path", quoted);
        return;
    }
    /* Non-blocking, so that a FIFO in the place of the file cannot stop us. */
    fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        fail(s, "the file %s cannot be opened: %s", quoted, strerror(errno));
        return;
    }
    from_open_file(s, fd, quoted);
    close(fd);
}

/* One ${…}; `text` points behind the brace. Returns what follows, NULL when it has no end. */
static const char *substitute_one(struct substitution *s, const char *text)
{
    const char *end = strchr(text, '}');
    char quoted[CONFIG_QUOTED_BYTES], *inner;

    if (end == NULL) {
        fail(s, "\"${\" has no \"}\"; write \"$$\" for a \"$\" of the text itself");
        return NULL;
    }
    inner = strndup(text, (size_t)(end - text));
    if (inner == NULL) {
        s->check->no_memory = true;
        return NULL;
    }
    if (strchr(inner, '$') != NULL) {
        fail(s, "a substitution cannot hold another one");
    } else if (strncmp(inner, "env:", 4) == 0) {
        from_environment(s, inner + 4);
    } else if (strncmp(inner, "file:", 5) == 0) {
        from_file(s, inner + 5);
    } else {
        fail(s,
             "unknown substitution %s (there are ${env:NAME}, ${env:NAME:-default}, "
             "${file:/path}; \"$$\" is a \"$\" of the text itself)",
             config_quote(inner, quoted));
    }
    for (const char *c = strchr(inner, '$'); c != NULL; c = strchr(c + 1, '$')) {
        s->dollars++;
    }
    free(inner);
    return end + 1;
}

static void substitute_all(struct substitution *s)
{
    const char *text = s->node->text;

    while (text != NULL && *text != '\0') {
        size_t plain = strcspn(text, "$");

        buf_add(&s->result, text, plain);
        text += plain;
        if (*text == '\0') {
            break;
        }
        s->dollars++;
        if (text[1] == '{') {
            text = substitute_one(s, text + 2);
        } else {
            buf_text(&s->result, "$");
            s->dollars += text[1] == '$' ? 1 : 0;
            text += text[1] == '$' ? 2 : 1;
        }
    }
}

static void substitute_scalar(struct config_check *check, struct config_node *node)
{
    struct substitution s = { .check = check, .node = node };
    char *text;

    buf_init(&s.result, MAX_SCALAR_BYTES);
    substitute_all(&s);
    if (s.result.failed == CAIRN_ETOOLONG && !s.failed) {
        fail(&s, "the value is longer than 256 KiB");
    }
    text = buf_take(&s.result);
    if (s.failed || text == NULL) {
        check->no_memory = check->no_memory || !s.failed;
        free(text);
        node->kind = CONFIG_REFUSED;
        return;
    }
    node->written = node->text;
    node->text = text;
    node->secret = s.secret;
}

void config_substitute(struct config_check *check, struct config_node *node)
{
    if (node->kind == CONFIG_SCALAR && strchr(node->text, '$') != NULL) {
        substitute_scalar(check, node);
    }
    for (struct config_node *child = node->first; child != NULL; child = child->next) {
        config_substitute(check, child);
    }
}

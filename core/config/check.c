/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Complaints at a node of the configuration, and the words they are made of. Every process but the
 * crashed one.
 */
#include "core/config/internal.h"

#include "core/util/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PATH_BYTES      512
#define TEXT_BYTES      1024
#define MAX_SHOWN_BYTES 60

void config_complain(struct config_check *check, const struct config_node *node, const char *format,
                     ...)
{
    char path[PATH_BYTES], text[TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    config_problem_add(check->problems, node->position, config_node_path(node, path, sizeof(path)),
                       "%s", text);
}

static struct config_position key_of(const struct config_node *node)
{
    return node->key != NULL ? node->key_position : node->position;
}

void config_complain_key(struct config_check *check, const struct config_node *node,
                         const char *format, ...)
{
    char path[PATH_BYTES], text[TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    config_problem_add(check->problems, key_of(node), config_node_path(node, path, sizeof(path)),
                       "%s", text);
}

void config_warn_key(struct config_check *check, const struct config_node *node, const char *format,
                     ...)
{
    char path[PATH_BYTES], text[TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    config_warning_add(check->problems, key_of(node), config_node_path(node, path, sizeof(path)),
                       "%s", text);
}

void config_hide(struct config_problems *problems, const struct config_node *node, bool tentative)
{
    if (node->kind == CONFIG_SCALAR || node->kind == CONFIG_REFUSED) {
        config_problems_hide(problems,
                             (struct config_span){ node->position, node->end, tentative });
    }
    for (const struct config_node *child = node->first; child != NULL; child = child->next) {
        config_hide(problems, child, tentative);
    }
}

/* The end of a word like "token" and its colon, or NULL. */
static const char *find_suspect(const char *line, size_t length)
{
    static const char *const words[] = { "token", "secret", "passw", "key",
                                         "auth",  "url",    "dsn",   "credential" };

    for (size_t i = 0; i < length; i++) {
        for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
            size_t word = strlen(words[w]);
            const char *colon;

            if (length - i < word || strncasecmp(line + i, words[w], word) != 0) {
                continue;
            }
            colon = memchr(line + i, ':', length - i);
            return colon != NULL ? colon + 1 + (colon + 1 < line + length && colon[1] == ' ')
                                 : NULL;
        }
    }
    return NULL;
}

void config_hide_suspect(struct config_problems *problems, const char *data, size_t bytes,
                         struct config_position line)
{
    struct config_cursor cursor;
    struct config_span span = { .start = { .file = line.file }, .end = { NULL, line.line + 1, 1 } };
    const char *value;
    size_t length = 0;

    config_cursor_init(&cursor, data, bytes);
    line.column = 1;
    if (!config_cursor_seek(&cursor, line)) {
        return;
    }
    while (cursor.offset + length < bytes && strchr("\r\n", data[cursor.offset + length]) == NULL) {
        length++;
    }
    value = find_suspect(data + cursor.offset, length);
    if (value == NULL) {
        return;
    }
    while (data + cursor.offset < value && config_cursor_next(&cursor)) {
    }
    span.start.line = cursor.line;
    span.start.column = cursor.column;
    config_problems_hide(problems, span);
}

bool config_is_full(const struct config_check *check)
{
    return check->problems->errors >= CONFIG_MAX_PROBLEMS;
}

bool config_is_null(const struct config_node *node)
{
    static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };

    if (node->kind != CONFIG_SCALAR || node->quoted || node->secret) {
        return false;
    }
    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++) {
        if (strcmp(node->text, nulls[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool config_expect(struct config_check *check, const struct config_node *node,
                   enum config_node_kind kind)
{
    static const char *const wanted[] = {
        [CONFIG_SCALAR] = "must be a single value",
        [CONFIG_LIST] = "must be a list, as in [a, b]",
        [CONFIG_MAP] = "must be a map, as in { key: value }",
    };
    static const char *const found[] = {
        [CONFIG_SCALAR] = "a single value",
        [CONFIG_LIST] = "a list",
        [CONFIG_MAP] = "a map",
    };

    if (node->kind == CONFIG_REFUSED) {
        return false;
    }
    if (config_is_null(node)) {
        config_complain_key(check, node,
                            kind == CONFIG_SCALAR
                                ? "has no value; leave it out, or write \"\" for an empty text"
                                : "has no value; leave it out");
        return false;
    }
    if (node->kind != kind) {
        config_complain(check, node, "%s, not %s", wanted[kind], found[node->kind]);
        return false;
    }
    return true;
}

const char *config_quote(const char *text, char buffer[CONFIG_QUOTED_BYTES])
{
    size_t length = strlen(text), shown = 0;
    uint32_t code;

    while (shown < length) {
        size_t step = text_utf8(text + shown, length - shown, &code);

        step = step != 0 ? step : 1;
        if (shown + step > MAX_SHOWN_BYTES) {
            break;
        }
        shown += step;
    }
    snprintf(buffer, CONFIG_QUOTED_BYTES, "\"%.*s%s\"", (int)shown, text,
             shown < length ? "…" : "");
    return buffer;
}

const char *config_quote_node(const struct config_node *node, char buffer[CONFIG_QUOTED_BYTES])
{
    if (node->secret) {
        return "<substituted>";
    }
    return config_quote(node->text, buffer);
}

const char *config_did_you_mean(const char *word, const char *const *candidates,
                                char buffer[CONFIG_QUOTED_BYTES])
{
    const char *nearest = text_nearest(word, candidates);

    buffer[0] = '\0';
    if (nearest != NULL) {
        snprintf(buffer, CONFIG_QUOTED_BYTES, " (did you mean \"%.50s\"?)", nearest);
    }
    return buffer;
}

bool config_is_name(const char *text, bool digit_first)
{
    size_t length = strlen(text);

    if (length == 0 || length > 64 || text[0] == '_' || text[0] == '-' ||
        (!digit_first && text[0] >= '0' && text[0] <= '9')) {
        return false;
    }
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

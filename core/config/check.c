/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Complaints at a node of the configuration, the words they are made of, and what a check comes
 * to. Every process but the crashed one.
 */
#include "core/config/internal.h"

#include "core/util/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATH_BYTES      512
#define TEXT_BYTES      1024
#define MAX_SHOWN_BYTES 60

/* Adds what is wrong with a node, in words, as a problem or as a warning. */
typedef void add_fn(struct config_problems *problems, struct config_position position,
                    const char *path, const char *format, ...);

static void say(struct config_check *check, add_fn *add, struct config_position position,
                const struct config_node *node, const char *format, va_list arguments)
{
    char path[PATH_BYTES], text[TEXT_BYTES];

    vsnprintf(text, sizeof(text), format, arguments);
    add(check->problems, position, config_node_path(node, path, sizeof(path)), "%s", text);
}

static struct config_position key_of(const struct config_node *node)
{
    return node->key != NULL ? node->key_position : node->position;
}

void config_complain(struct config_check *check, const struct config_node *node, const char *format,
                     ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(check, config_problem_add, node->position, node, format, arguments);
    va_end(arguments);
}

void config_complain_key(struct config_check *check, const struct config_node *node,
                         const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(check, config_problem_add, key_of(node), node, format, arguments);
    va_end(arguments);
}

void config_warn_key(struct config_check *check, const struct config_node *node, const char *format,
                     ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(check, config_warning_add, key_of(node), node, format, arguments);
    va_end(arguments);
}

int config_value_fail(struct config_value *value, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(value->why, sizeof(value->why), format, arguments);
    va_end(arguments);
    return CAIRN_ECONFIG;
}

int config_check_end(struct config_check *check, size_t errors_before)
{
    if (check->no_memory) {
        return config_refuse(check->problems, check->config->name, CAIRN_ENOMEM,
                             "there is not enough memory to check it");
    }
    return check->problems->errors == errors_before ? 0 : CAIRN_ECONFIG;
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

void config_check_id(struct config_check *check, const struct config_node *map)
{
    if (!config_is_name(map->key, true)) {
        config_complain_key(check, map,
                            "this is no id: those have lower-case letters, digits, "
                            "\"-\" and \"_\", and begin with a letter or digit");
    }
}

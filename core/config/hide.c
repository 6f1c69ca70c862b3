/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must not be seen when a problem is printed with its line: values that are secret by their
 * option's type, and whatever may be one as long as nobody knows the options or could read the
 * line. Every process but the crashed one.
 */
#include "core/config/internal.h"

#include <string.h>
#include <strings.h>

/* ---- Lines that were never understood ------------------------------------------------------ */

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

/* ---- Values -------------------------------------------------------------------------------- */

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

bool config_is_reference(const char *text)
{
    return strncmp(text, "${", 2) == 0 && strstr(text, ":-") == NULL &&
           strcspn(text, "}") + 1 == strlen(text);
}

/* A failed substitution that is the whole value holds nothing secret. */
static bool is_reference(const struct config_node *node)
{
    return node->kind == CONFIG_REFUSED && node->text != NULL && config_is_reference(node->text);
}

void config_hide_instance(struct config_check *check, const struct config_instance *instance)
{
    if (instance->kind != CAIRN_KIND_TRANSPORT && instance->kind != CAIRN_KIND_HOOK) {
        return;
    }
    for (const struct config_node *n = instance->node->first; n != NULL; n = n->next) {
        if (!config_is_common_key(n->key) && !is_reference(n)) {
            config_hide(check->problems, n, true);
        }
    }
}

void config_hide_secrets(struct config_check *check, const struct config_instance *instance,
                         const struct config_plugin_facts *facts)
{
    const struct cairn_option *option = facts->options;

    for (; option != NULL && option->name != NULL; option++) {
        const struct config_node *node = config_get(instance->node, option->name);

        if (node != NULL && !is_reference(node) &&
            (option->type == CAIRN_OPTION_SECRET || option->type == CAIRN_OPTION_URL)) {
            config_hide(check->problems, node, false);
        }
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps tokens out of texts that people will see, such as errors, which end up in report.json and
 * in logs: whatever a transport says, the values of its secret options, and what of its URLs may be
 * a token, are replaced. Sender, tools.
 */
#include "core/config/config.h"

#include "core/util/text.h"

#include <string.h>

#define HIDDEN          "(hidden)"
#define SHORTEST_SECRET 4 /* hiding shorter ones would only garble the text */

/* A text that was cut may end within a secret. */
static void hide_beginning(char *text, const char *secret, size_t bytes)
{
    size_t length = strlen(text), part = bytes < length ? bytes : length;

    for (; part >= SHORTEST_SECRET; part--) {
        if (memcmp(text + length - part, secret, part) == 0) {
            text[length - part] = '\0';
            return;
        }
    }
}

static void hide(char *text, size_t capacity, const char *secret, size_t bytes)
{
    const size_t mark = sizeof(HIDDEN) - 1;
    char *at = text;

    if (bytes < SHORTEST_SECRET) {
        return;
    }
    while ((at = memmem(at, strlen(at), secret, bytes)) != NULL) {
        size_t tail = strlen(at + bytes), room = capacity - (size_t)(at - text) - 1;

        if (room < mark) { /* no place for the mark: the text ends here */
            *at = '\0';
            return;
        }
        tail = tail < room - mark ? tail : room - mark;
        memmove(at + mark, at + bytes, tail);
        memcpy(at, HIDDEN, mark);
        at[mark + tail] = '\0';
        at += mark;
    }
    hide_beginning(text, secret, bytes);
}

/* Parts of a URL in which services put tokens: the credentials before the host, everything behind
 * it, and each piece of that by itself. */
static void hide_url(char *text, size_t capacity, const char *url)
{
    static const char separators[] = "/?&=#;";
    const char *host = strstr(url, "://");
    const char *path, *at;

    if (host == NULL) {
        hide(text, capacity, url, strlen(url));
        return;
    }
    host += 3;
    path = host + strcspn(host, "/?#");
    at = memchr(host, '@', (size_t)(path - host));
    if (at != NULL) {
        hide(text, capacity, host, (size_t)(at - host));
    }
    path += *path == '/';
    hide(text, capacity, path, strlen(path));
    while (*path != '\0') {
        size_t bytes;

        path += strspn(path, separators);
        bytes = strcspn(path, separators);
        /* Shorter ones are words like "post"; this one is longer, and public. */
        if (bytes >= 2 * SHORTEST_SECRET && !(bytes == 8 && memcmp(path, "minidump", 8) == 0)) {
            hide(text, capacity, path, bytes);
        }
        path += bytes;
    }
}

static void hide_value(char *text, size_t capacity, uint32_t type, const char *value)
{
    if (value == NULL) {
        return;
    }
    if (type == CAIRN_OPTION_URL) {
        hide_url(text, capacity, value);
    } else {
        hide(text, capacity, value, strlen(value));
    }
}

static void hide_option(char *text, size_t capacity, const struct cairn_option *option,
                        const unsigned char *at)
{
    const char *const *values = (const void *)at;
    size_t count = 1;

    if ((option->flags & CAIRN_OPTION_LIST) != 0) {
        const struct cairn_list *list = (const void *)at;

        values = list->items;
        count = list->count;
    } else if ((option->flags & CAIRN_OPTION_MAP) != 0) {
        const struct cairn_map *map = (const void *)at;

        values = map->values;
        count = map->count;
    }
    for (size_t i = 0; i < count; i++) {
        hide_value(text, capacity, option->type, values[i]);
    }
}

void config_scrub(const struct config_instance *instance, const char *text, char *ret_text,
                  size_t capacity)
{
    text_copy(ret_text, capacity, text);
    if (instance->table == NULL || instance->options == NULL) {
        return;
    }
    for (const struct cairn_option *option = instance->table; option->name != NULL; option++) {
        if (option->type == CAIRN_OPTION_SECRET || option->type == CAIRN_OPTION_URL) {
            hide_option(ret_text, capacity, option,
                        (const unsigned char *)instance->options + option->offset);
        }
    }
}

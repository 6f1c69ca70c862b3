/* SPDX-License-Identifier: Apache-2.0 */
/* Typing of a plugin's options from text by its own table; see plugin_harness.h. */
#include "core/util/text.h"
#include "tests/unit/plugin_harness.h"

#include <stdlib.h>
#include <string.h>

#define MAX_LIST 64

static size_t element_bytes(uint32_t type)
{
    switch (type) {
    case CAIRN_OPTION_BOOL:
    case CAIRN_OPTION_ENUM:
    case CAIRN_OPTION_SIGNAL:
        return sizeof(int32_t);
    case CAIRN_OPTION_INTEGER:
    case CAIRN_OPTION_DOUBLE:
    case CAIRN_OPTION_SIZE:
    case CAIRN_OPTION_DURATION:
        return sizeof(int64_t);
    default:
        return sizeof(const char *);
    }
}

static uint64_t parse_duration(const char *text)
{
    static const struct {
        const char *name;
        uint64_t microseconds;
    } units[] = { { "ms", 1000 },
                  { "s", 1000000 },
                  { "m", 60000000 },
                  { "h", UINT64_C(3600000000) },
                  { "d", UINT64_C(86400000000) } };
    char *unit;
    uint64_t number = strtoull(text, &unit, 10);

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i].name, unit) == 0) {
            return number * units[i].microseconds;
        }
    }
    return number;
}

static uint64_t parse_size(const char *text)
{
    char *unit;
    uint64_t number = strtoull(text, &unit, 10);

    return strcmp(unit, "KiB") == 0   ? number << 10
           : strcmp(unit, "MiB") == 0 ? number << 20
                                      : number;
}

static int32_t parse_choice(const struct cairn_option *option, const char *text)
{
    for (int32_t i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], text) == 0) {
            return i;
        }
    }
    abort();
}

/* Strings stay borrowed: tests hand in literals or what outlives the harness. */
static void parse_scalar(const struct cairn_option *option, const char *text, void *target)
{
    switch (option->type) {
    case CAIRN_OPTION_BOOL:
        *(int32_t *)target = strcmp(text, "true") == 0;
        break;
    case CAIRN_OPTION_ENUM:
        *(int32_t *)target = parse_choice(option, text);
        break;
    case CAIRN_OPTION_SIGNAL:
        *(int32_t *)target = text_signal_number(text);
        break;
    case CAIRN_OPTION_INTEGER:
        *(int64_t *)target = strtoll(text, NULL, 10);
        break;
    case CAIRN_OPTION_SIZE:
        *(uint64_t *)target = parse_size(text);
        break;
    case CAIRN_OPTION_DOUBLE:
        *(double *)target = strtod(text, NULL);
        break;
    case CAIRN_OPTION_DURATION:
        *(uint64_t *)target = parse_duration(text);
        break;
    default:
        *(const char **)target = text;
        break;
    }
}

static void add_to_list(const struct cairn_option *option, struct cairn_list *list,
                        const char *text)
{
    size_t bytes = element_bytes(option->type);

    if (list->items == NULL) {
        list->items = calloc(MAX_LIST, bytes);
    }
    parse_scalar(option, text, (char *)list->items + list->count++ * bytes);
}

static void add_to_map(const struct cairn_option *option, struct cairn_map *map, const char *text)
{
    const char *equals = strchr(text, '=');
    size_t bytes = element_bytes(option->type);

    if (map->keys == NULL) {
        map->keys = calloc(MAX_LIST, sizeof(*map->keys));
        map->values = calloc(MAX_LIST, bytes);
    }
    ((char **)map->keys)[map->count] = strndup(text, (size_t)(equals - text));
    parse_scalar(option, equals + 1, (char *)map->values + map->count++ * bytes);
}

void harness_option(struct harness *harness, const char *name, const char *text)
{
    for (const struct cairn_option *option = harness->plugin->options; option->name != NULL;
         option++) {
        void *target = (char *)harness->config + option->offset;

        if (strcmp(option->name, name) != 0) {
            continue;
        }
        if ((option->flags & CAIRN_OPTION_LIST) != 0) {
            add_to_list(option, target, text);
        } else if ((option->flags & CAIRN_OPTION_MAP) != 0) {
            add_to_map(option, target, text);
        } else {
            parse_scalar(option, text, target);
        }
        return;
    }
    abort(); /* a test names an option that does not exist */
}

void harness_free_options(struct harness *harness)
{
    for (const struct cairn_option *option = harness->plugin->options; option->name != NULL;
         option++) {
        void *target = (char *)harness->config + option->offset;

        if ((option->flags & CAIRN_OPTION_LIST) != 0) {
            free((void *)((struct cairn_list *)target)->items);
        } else if ((option->flags & CAIRN_OPTION_MAP) != 0) {
            struct cairn_map *map = target;

            for (size_t i = 0; i < map->count; i++) {
                free((void *)map->keys[i]);
            }
            free((void *)map->keys);
            free((void *)map->values);
        }
    }
    free(harness->config);
}

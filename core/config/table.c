/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map of the configuration by an option table: Cairn's own settings and every plugin's are read
 * by this one reader. A plugin's table is hostile until it is checked. Every process but the
 * crashed one.
 */
#include "core/config/internal.h"

#include <stdio.h>
#include <string.h>

#define MAX_OPTIONS 64 /* bits of options_set */
#define MAX_CHOICES 64
#define MAX_KEYS    96

union scalar {
    const char *text;
    int32_t small;
    int64_t integer;
    uint64_t amount;
    double number;
};

/* ---- Keys ---------------------------------------------------------------------------------- */

static size_t list_keys(const struct config_table *table, const char *keys[MAX_KEYS])
{
    size_t count = 0;

    for (const struct cairn_option *o = table->options; o != NULL && o->name != NULL; o++) {
        if (count < MAX_OPTIONS) {
            keys[count++] = o->name;
        }
    }
    for (const char *const *other = table->others; other != NULL && *other != NULL; other++) {
        if (count < MAX_KEYS - 1) {
            keys[count++] = *other;
        }
    }
    keys[count] = NULL;
    return count;
}

static bool is_among(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(*keys, key) == 0) {
            return true;
        }
    }
    return false;
}

static void complain_unknown(struct config_check *check, const struct config_node *node,
                             const struct config_table *table, const char *const *keys)
{
    char hint[CONFIG_QUOTED_BYTES], all[256];
    size_t used = 0;

    /* It may be a token behind a misspelt key. */
    config_hide(check->problems, node, false);
    if (config_is_full(check)) {
        config_complain_key(check, node, "unknown");
        return;
    }
    all[0] = '\0';
    for (size_t i = 0; keys[i] != NULL && used < sizeof(all); i++) {
        used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s",
                                 i > 0 ? ", " : " (possible here: ", keys[i]);
    }
    if (used < sizeof(all) - 1 && used > 0) {
        snprintf(all + used, sizeof(all) - used, ")");
    }
    config_did_you_mean(node->key, keys, hint);
    if (table->plugin != NULL) {
        config_complain_key(check, node, "the plugin \"%s\" has no such option%s", table->plugin,
                            hint[0] != '\0' ? hint : all);
    } else {
        config_complain_key(check, node, "unknown key%s", hint[0] != '\0' ? hint : all);
    }
}

bool config_keys_check(struct config_check *check, const struct config_node *map,
                       const struct config_table *table)
{
    const char *keys[MAX_KEYS];
    bool known = true;

    list_keys(table, keys);
    for (const struct config_node *node = map->first; node != NULL; node = node->next) {
        if (!is_among(node->key, keys)) {
            complain_unknown(check, node, table, keys);
            known = false;
        }
    }
    return known;
}

/* ---- Values -------------------------------------------------------------------------------- */

static bool read_scalar(struct config_check *check, const struct config_node *node,
                        const struct cairn_option *option, void *ret_value)
{
    struct config_value value = { .node = node, .option = option, .arena = check->arena };
    union scalar scalar = { .amount = 0 };
    int result;

    if (!config_expect(check, node, CONFIG_SCALAR)) {
        return false;
    }
    result = config_value_read(&value, &scalar);
    if (result == CAIRN_ENOMEM) {
        check->no_memory = true;
    } else if (result != 0) {
        config_complain(check, node, "%s%s",
                        node->text == option->default_text ? "the plugin's own default is wrong: "
                                                           : "",
                        value.why);
    } else {
        memcpy(ret_value, &scalar, config_value_bytes(option->type));
    }
    return result == 0;
}

/* The elements of a list or map, one after the other. */
static void *read_elements(struct config_check *check, const struct config_node *node,
                           const struct cairn_option *option)
{
    size_t bytes = config_value_bytes(option->type);
    unsigned char *items = config_arena_take(check->arena, node->count * bytes + 1);
    unsigned char *item = items;
    bool good = true;

    if (items == NULL) {
        check->no_memory = true;
        return NULL;
    }
    if (node->count == 0 && (option->flags & CAIRN_OPTION_REQUIRED) != 0) {
        config_complain(check, node, "needs at least one entry");
        return NULL;
    }
    for (const struct config_node *n = node->first; n != NULL; n = n->next, item += bytes) {
        good = read_scalar(check, n, option, item) && good;
    }
    return good ? items : NULL;
}

static bool read_list(struct config_check *check, const struct config_node *node,
                      const struct cairn_option *option, void *ret_value)
{
    struct cairn_list list = { .count = node->count };

    if (!config_expect(check, node, CONFIG_LIST)) {
        return false;
    }
    list.items = read_elements(check, node, option);
    if (list.items == NULL) {
        return false;
    }
    memcpy(ret_value, &list, sizeof(list));
    return true;
}

static bool read_map(struct config_check *check, const struct config_node *node,
                     const struct cairn_option *option, void *ret_value)
{
    struct cairn_map map = { .count = node->count };
    const char **keys;
    size_t i = 0;

    if (!config_expect(check, node, CONFIG_MAP)) {
        return false;
    }
    keys = config_arena_take(check->arena, (node->count + 1) * sizeof(*keys));
    map.values = read_elements(check, node, option);
    if (keys == NULL || map.values == NULL) {
        check->no_memory = check->no_memory || keys == NULL;
        return false;
    }
    for (const struct config_node *n = node->first; n != NULL; n = n->next) {
        keys[i] = config_arena_text(check->arena, n->key);
        if (keys[i++] == NULL) {
            check->no_memory = true;
            return false;
        }
    }
    map.keys = keys;
    memcpy(ret_value, &map, sizeof(map));
    return true;
}

static bool read_option(struct config_check *check, const struct config_node *node,
                        const struct cairn_option *option, void *ret_value)
{
    if ((option->flags & CAIRN_OPTION_LIST) != 0) {
        return read_list(check, node, option, ret_value);
    }
    if ((option->flags & CAIRN_OPTION_MAP) != 0) {
        return read_map(check, node, option, ret_value);
    }
    return read_scalar(check, node, option, ret_value);
}

/* A default is read as if it stood in the map, so that it means the same. */
static bool read_default(struct config_check *check, const struct config_node *map,
                         const struct cairn_option *option, void *ret_value)
{
    struct config_node node = { .kind = CONFIG_SCALAR,
                                .key = (char *)option->name,
                                .text = (char *)option->default_text,
                                .quoted = true,
                                .parent = map };

    if (map != NULL) {
        node.position = node.key_position = map->position;
    }
    return read_scalar(check, &node, option, ret_value);
}

static bool read_absent(struct config_check *check, const struct config_node *map,
                        const struct config_table *table, const struct cairn_option *option,
                        void *ret_value)
{
    if (option->default_text != NULL) {
        return read_default(check, map, option, ret_value);
    }
    if ((option->flags & CAIRN_OPTION_REQUIRED) == 0) {
        return true;
    }
    if (table->plugin != NULL) {
        config_complain_key(check, map, "the plugin \"%s\" needs the option \"%s\"", table->plugin,
                            option->name);
    } else {
        config_complain_key(check, map, "the key \"%s\" is missing", option->name);
    }
    return false;
}

bool config_table_read(struct config_check *check, const struct config_node *map,
                       const struct config_table *table, void *base, uint64_t *ret_set)
{
    uint64_t set = 0;
    bool good = true;

    if (map != NULL && table->others != NULL) {
        good = config_keys_check(check, map, table);
    }
    for (size_t i = 0; table->options[i].name != NULL; i++) {
        const struct cairn_option *option = &table->options[i];
        const struct config_node *node = config_get(map, option->name);
        void *target = (unsigned char *)base + option->offset;

        if (node != NULL) {
            set |= 1ull << i;
            good = read_option(check, node, option, target) && good;
        } else {
            good = read_absent(check, map, table, option, target) && good;
        }
    }
    *ret_set = set;
    return good;
}

/* ---- Whether a plugin's table can be used -------------------------------------------------- */

static size_t bytes_of(const struct cairn_option *option)
{
    if ((option->flags & CAIRN_OPTION_LIST) != 0) {
        return sizeof(struct cairn_list);
    }
    if ((option->flags & CAIRN_OPTION_MAP) != 0) {
        return sizeof(struct cairn_map);
    }
    return config_value_bytes(option->type);
}

static bool has_choices(const struct cairn_option *option)
{
    size_t count = 0;

    if (option->choices == NULL) {
        return false;
    }
    while (count <= MAX_CHOICES && option->choices[count] != NULL) {
        count++;
    }
    return count > 0 && count <= MAX_CHOICES;
}

static const char *fault_of_name(const char *name)
{
    if (!config_is_name(name, false) || strchr(name, '-') != NULL) {
        return "has a name other than [a-z][a-z0-9_]*";
    }
    if (is_among(name, config_common_keys)) {
        return "has a name that Cairn keeps for itself";
    }
    return NULL;
}

/* What is wrong with one option of a table, or NULL. */
static const char *fault_of(const struct cairn_option *option, size_t config_size)
{
    uint32_t shape = option->flags & (CAIRN_OPTION_LIST | CAIRN_OPTION_MAP);

    if (config_value_bytes(option->type) == 0) {
        return "has an unknown type";
    }
    if (shape == (CAIRN_OPTION_LIST | CAIRN_OPTION_MAP)) {
        return "is both a list and a map";
    }
    if (option->offset > config_size || bytes_of(option) > config_size - option->offset) {
        return "lies outside of the configuration structure";
    }
    if (option->type == CAIRN_OPTION_ENUM && !has_choices(option)) {
        return "has no choices, or more than 64";
    }
    if (shape != 0 && option->default_text != NULL) {
        return "is a list or map with a default";
    }
    if (option->max < option->min) {
        return "has a largest value below its smallest";
    }
    return fault_of_name(option->name);
}

bool config_table_check(struct config_check *check, const struct config_instance *instance,
                        const struct config_plugin_facts *facts)
{
    const struct config_node *place = config_get(instance->node, "plugin");
    const struct cairn_option *options = facts->options;

    if (facts->config_size > CONFIG_MAX_OPTIONS_BYTES) {
        config_complain(check, place,
                        "the plugin \"%s\" is faulty: its configuration structure "
                        "has more than 64 KiB",
                        instance->plugin);
        return false;
    }
    for (size_t i = 0; options != NULL && options[i].name != NULL; i++) {
        const char *fault = i < MAX_OPTIONS ? fault_of(&options[i], facts->config_size)
                                            : "is one more than the 64 that are possible";
        char quoted[CONFIG_QUOTED_BYTES];

        for (size_t j = 0; j < i && fault == NULL; j++) {
            fault = strcmp(options[i].name, options[j].name) == 0 ? "stands twice" : NULL;
        }
        if (fault != NULL) {
            config_complain(check, place, "the plugin \"%s\" is faulty: its option %s %s",
                            instance->plugin, config_quote(options[i].name, quoted), fault);
            return false;
        }
    }
    return true;
}

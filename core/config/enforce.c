/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the policy puts on top of the merged layers: the system's values of locked keys, what every
 * pipeline must have, and the largest values. Every process but the crashed one.
 */
#include "core/config/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct config_node *get(struct config_node *map, const char *key)
{
    return (struct config_node *)config_get(map, key);
}

/* ---- Making nodes -------------------------------------------------------------------------- */

/* A node at the place of the policy's line that wants it; NULL: no memory, which is noted. */
static struct config_node *create(struct config_check *check, enum config_node_kind kind,
                                  const char *key, const char *text, const struct config_node *rule)
{
    struct config_node *node = calloc(1, sizeof(*node));

    if (node != NULL) {
        node->kind = kind;
        node->key = key != NULL ? strdup(key) : NULL;
        node->text = text != NULL ? strdup(text) : NULL;
        node->position = node->key_position = rule->position;
        node->end = rule->end;
    }
    if (node == NULL || (key != NULL && node->key == NULL) ||
        (text != NULL && node->text == NULL)) {
        config_node_destroy(node);
        check->no_memory = true;
        return NULL;
    }
    return node;
}

/* The child of that key, made with the kind if it is absent; NULL: no memory, or of another kind,
 * which others complain of. */
static struct config_node *demand(struct config_check *check, struct config_node *map,
                                  const char *key, enum config_node_kind kind,
                                  const struct config_node *rule)
{
    struct config_node *child = get(map, key);

    if (child == NULL) {
        child = create(check, kind, key, NULL, rule);
        if (child != NULL) {
            config_node_put(map, child);
        }
    }
    return child != NULL && child->kind == kind ? child : NULL;
}

static void put_copy(struct config_check *check, struct config_node *map,
                     const struct config_node *node)
{
    struct config_node *copy = config_node_copy(node);

    if (copy == NULL) {
        check->no_memory = true;
        return;
    }
    config_node_put(map, copy);
}

/* ---- Locks --------------------------------------------------------------------------------- */

/* The place of a system's locked key in the configuration, if there is one: sections are made,
 * and the maps of the engine; an instance or pipeline that does not exist needs no value. */
static struct config_node *place_of(struct config_check *check, struct config_node *root,
                                    const struct config_node *map)
{
    struct config_node *parent;

    if (map->parent == NULL) {
        return root;
    }
    parent = place_of(check, root, map->parent);
    if (parent == NULL) {
        return NULL;
    }
    if (map->parent->parent == NULL || strcmp(map->parent->key, "engine") == 0) {
        return demand(check, parent, map->key, CONFIG_MAP, map);
    }
    parent = get(parent, map->key);
    return parent != NULL && parent->kind == CONFIG_MAP ? parent : NULL;
}

static void restore_locked(struct config_check *check, const struct config_policy *policy,
                           const struct config_node *system, struct config_node *root)
{
    for (const struct config_node *n = system->first; n != NULL; n = n->next) {
        if (config_policy_lock(policy, n) != NULL) {
            struct config_node *map = place_of(check, root, system);

            if (map != NULL) {
                put_copy(check, map, n);
            }
        } else if (n->kind == CONFIG_MAP) {
            restore_locked(check, policy, n, root);
        }
    }
}

/* ---- Requirements -------------------------------------------------------------------------- */

/* Takes the entries of that text out of a list. */
static void drop_entries(struct config_node *list, const char *text)
{
    struct config_node **link = &list->first;

    while (*link != NULL) {
        struct config_node *entry = *link;

        if (entry->kind != CONFIG_SCALAR || strcmp(entry->text, text) != 0) {
            link = &entry->next;
            continue;
        }
        *link = entry->next;
        entry->next = NULL;
        list->count--;
        config_node_destroy(entry);
    }
}

/* Puts the id last into the list of every pipeline: there it sees what the others have added. */
static void append_to_pipelines(struct config_check *check, struct config_node *root,
                                const char *section, const struct config_node *id)
{
    struct config_node *pipelines = get(root, "pipelines");

    for (struct config_node *p = pipelines != NULL ? pipelines->first : NULL; p != NULL;
         p = p->next) {
        struct config_node *list =
            p->kind == CONFIG_MAP ? demand(check, p, section, CONFIG_LIST, id) : NULL;
        struct config_node *entry, **link;

        if (list == NULL) {
            continue;
        }
        drop_entries(list, id->text);
        entry = create(check, CONFIG_SCALAR, NULL, id->text, id);
        if (entry == NULL) {
            return;
        }
        for (link = &list->first; *link != NULL; link = &(*link)->next) {
        }
        entry->parent = list;
        *link = entry;
        list->count++;
    }
}

static void require(struct config_check *check, const struct config_node *id,
                    const struct config_node *system, struct config_node *root)
{
    const char *section = id->parent->key;
    const struct config_node *definition = config_get(config_get(system, section), id->text);
    struct config_node *map;

    if (definition == NULL) {
        config_complain(check, id,
                        "the policy requires \"%.60s\", which the system's configuration does not "
                        "define under %s",
                        id->text, section);
        return;
    }
    map = demand(check, root, section, CONFIG_MAP, id);
    if (map != NULL) {
        put_copy(check, map, definition);
        append_to_pipelines(check, root, section, id);
    }
}

/* ---- Maxima -------------------------------------------------------------------------------- */

/* What a text amounts to as a size, a duration or a number; false if it is no such thing. */
static bool amount_of(struct config_check *check, const struct config_node *node, uint32_t type,
                      uint64_t *ret_amount)
{
    const struct cairn_option option = { .type = type };
    struct config_value value = { .node = node, .option = &option, .arena = check->arena };

    return node->kind == CONFIG_SCALAR && config_value_read(&value, ret_amount) == 0;
}

static void limit(struct config_check *check, struct config_node *node,
                  const struct config_node *max, uint32_t type, uint64_t most)
{
    char quoted[CONFIG_QUOTED_BYTES];
    uint64_t amount;

    for (struct config_node *n = node->first; n != NULL; n = n->next) {
        if (n->kind == CONFIG_MAP) {
            limit(check, n, max, type, most);
        } else if (config_pattern_fits(max->key, n) && amount_of(check, n, type, &amount) &&
                   amount > most) {
            config_complain(check, n, "%s is more than the policy allows: %s (%s:%u:%u)",
                            config_quote_node(n, quoted), max->text, max->position.file,
                            max->position.line, max->position.column);
        }
    }
}

/* A default of Cairn's own that exceeds a maximum is lowered to it. */
static void lower_default(struct config_check *check, struct config_node *root,
                          const struct config_node *max, uint32_t type, uint64_t most)
{
    const char *map_name = NULL;
    const struct cairn_option *option = config_own_option(max->key, &map_name);
    struct config_node fallback = { .kind = CONFIG_SCALAR }, *map, *node;
    uint64_t amount;

    if (option == NULL || option->default_text == NULL) {
        return;
    }
    fallback.text = (char *)option->default_text;
    if (!amount_of(check, &fallback, type, &amount) || amount <= most) {
        return;
    }
    map = demand(check, root, "engine", CONFIG_MAP, max);
    map = map != NULL ? demand(check, map, map_name, CONFIG_MAP, max) : NULL;
    if (map == NULL || get(map, option->name) != NULL) {
        return;
    }
    node = create(check, CONFIG_SCALAR, option->name, max->text, max);
    if (node != NULL) {
        config_node_put(map, node);
    }
}

static void enforce_maximum(struct config_check *check, const struct config_node *max,
                            struct config_node *root)
{
    static const uint32_t types[] = { CAIRN_OPTION_SIZE, CAIRN_OPTION_DURATION,
                                      CAIRN_OPTION_INTEGER };
    uint64_t most;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (amount_of(check, max, types[i], &most)) {
            limit(check, root, max, types[i], most);
            lower_default(check, root, max, types[i], most);
            return;
        }
    }
    config_complain(check, max, "a maximum is a size, a duration or a whole number");
}

/* -------------------------------------------------------------------------------------------- */

void config_policy_enforce(struct config_check *check, const struct config_policy *policy,
                           const struct config_node *system, struct config_node *root)
{
    const struct config_node *required = config_get(policy->root, "require");
    const struct config_node *maxima = config_get(policy->root, "max");

    if (!policy->sound) {
        return;
    }
    if (system != NULL) {
        restore_locked(check, policy, system, root);
    }
    for (const struct config_node *list = required != NULL ? required->first : NULL; list != NULL;
         list = list->next) {
        for (const struct config_node *id = list->first; id != NULL; id = id->next) {
            if (id->kind == CONFIG_SCALAR) {
                require(check, id, system, root);
            }
        }
    }
    for (const struct config_node *max = maxima != NULL ? maxima->first : NULL; max != NULL;
         max = max->next) {
        enforce_maximum(check, max, root);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One layer onto another: maps merge, everything else replaces, a key without a value deletes. Two
 * rules make that mean what people expect: an instance whose plugin changes begins anew, since
 * options belong to their plugin; and new pipelines come before those below, since the first that
 * matches is taken. Every process but the crashed one.
 */
#include "core/config/internal.h"

#include <string.h>

/* ---- Children of a map --------------------------------------------------------------------- */

/* The link that points to the child of that key, or to the end. */
static struct config_node **link_of(struct config_node *map, const char *key)
{
    struct config_node **link = &map->first;

    while (*link != NULL && strcmp((*link)->key, key) != 0) {
        link = &(*link)->next;
    }
    return link;
}

struct config_node *config_node_take(struct config_node *map, const char *key)
{
    struct config_node **link = link_of(map, key), *child = *link;

    if (child != NULL) {
        *link = child->next;
        child->next = NULL;
        child->parent = NULL;
        map->count--;
    }
    return child;
}

/* Puts a node where `link` points to. */
static void insert(struct config_node *map, struct config_node **link, struct config_node *child)
{
    child->parent = map;
    child->next = *link;
    *link = child;
    map->count++;
}

void config_node_put(struct config_node *map, struct config_node *child)
{
    struct config_node **link = link_of(map, child->key), *old = *link;

    if (old != NULL) {
        *link = old->next;
        map->count--;
        old->next = NULL;
        config_node_destroy(old);
    }
    insert(map, link, child);
}

/* ---- Merging ------------------------------------------------------------------------------- */

static bool is_instance(const struct config_node *node)
{
    const struct config_node *section = node->parent;

    if (section == NULL || section->parent == NULL || section->parent->parent != NULL) {
        return false;
    }
    for (int kind = CAIRN_KIND_FILTER; kind <= CAIRN_KIND_TRANSPORT; kind++) {
        if (strcmp(section->key, config_section(kind)) == 0) {
            return true;
        }
    }
    return false;
}

static bool changes_plugin(const struct config_node *below, const struct config_node *over)
{
    const struct config_node *old = config_get(below, "plugin"), *new = config_get(over, "plugin");

    return is_instance(below) && old != NULL && new != NULL &&
           old->text != NULL &&new->text != NULL &&strcmp(old->text, new->text) != 0;
}

static bool is_pipelines(const struct config_node *map)
{
    return map->parent != NULL && map->parent->parent == NULL && strcmp(map->key, "pipelines") == 0;
}

static void delete_below(struct config_check *check, struct config_node *base,
                         const struct config_node *over)
{
    struct config_node *old = config_node_take(base, over->key);

    if (old == NULL) {
        config_warn_key(check, over,
                        "has no value, which deletes what the layers below say, but "
                        "they say nothing");
    }
    config_node_destroy(old);
}

/* Both are maps; `over` is left empty. */
static void merge_maps(struct config_check *check, struct config_node *base,
                       struct config_node *over)
{
    struct config_node **front = &base->first; /* where new pipelines go */

    while (over->first != NULL) {
        struct config_node *child = over->first, *below = *link_of(base, child->key);

        if (config_is_null(child)) {
            delete_below(check, base, child);
            config_node_destroy(config_node_take(over, child->key));
            continue;
        }
        if (below != NULL && below->kind == CONFIG_MAP && child->kind == CONFIG_MAP &&
            !changes_plugin(below, child)) {
            merge_maps(check, below, child);
            config_node_destroy(config_node_take(over, child->key));
            continue;
        }
        config_node_take(over, child->key);
        if (below == NULL && is_pipelines(base)) {
            insert(base, front, child);
            front = &child->next;
        } else {
            config_node_put(base, child);
        }
    }
}

void config_merge(struct config_check *check, struct config_node **base, struct config_node *over)
{
    if (*base == NULL) {
        *base = over;
        return;
    }
    merge_maps(check, *base, over);
    (*base)->position = over->position;
    (*base)->end = over->end;
    config_node_destroy(over);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of a configuration: looking up, naming and freeing its nodes. Every process but the
 * crashed one.
 */
#include "core/config/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void config_node_destroy(struct config_node *node)
{
    if (node == NULL) {
        return;
    }
    /* As deep as the tree: at most CONFIG_MAX_DEPTH. */
    while (node->first != NULL) {
        struct config_node *child = node->first;

        node->first = child->next;
        config_node_destroy(child);
    }
    free(node->key);
    free(node->text);
    free(node->written);
    free(node);
}

static char *copy_text(const char *text, bool *failed)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    *failed = *failed || (text != NULL && copy == NULL);
    return copy;
}

struct config_node *config_node_copy(const struct config_node *node)
{
    struct config_node *copy = malloc(sizeof(*copy)), **link;
    bool failed = copy == NULL;

    if (failed) {
        return NULL;
    }
    *copy = *node;
    copy->key = copy_text(node->key, &failed);
    copy->text = copy_text(node->text, &failed);
    copy->written = copy_text(node->written, &failed);
    copy->first = copy->next = NULL;
    copy->parent = NULL;
    link = &copy->first;
    for (const struct config_node *n = node->first; n != NULL && !failed; n = n->next) {
        *link = config_node_copy(n);
        failed = *link == NULL;
        if (!failed) {
            (*link)->parent = copy;
            link = &(*link)->next;
        }
    }
    if (failed) {
        config_node_destroy(copy);
        return NULL;
    }
    return copy;
}

const struct config_node *config_get(const struct config_node *map, const char *key)
{
    if (map == NULL || map->kind != CONFIG_MAP) {
        return NULL;
    }
    for (const struct config_node *node = map->first; node != NULL; node = node->next) {
        if (strcmp(node->key, key) == 0) {
            return node;
        }
    }
    return NULL;
}

struct path {
    char *text;
    size_t capacity, used;
};

static void add(struct path *path, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct path *path, const char *format, ...)
{
    size_t room = path->capacity - path->used;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(path->text + path->used, room, format, arguments);
    va_end(arguments);
    if (length > 0) {
        path->used += (size_t)length < room ? (size_t)length : room - 1;
    }
}

static size_t index_of(const struct config_node *node)
{
    size_t index = 0;

    for (const struct config_node *n = node->parent->first; n != NULL && n != node; n = n->next) {
        index++;
    }
    return index;
}

static void add_node(struct path *path, const struct config_node *node)
{
    if (node->parent == NULL) {
        return;
    }
    add_node(path, node->parent);
    if (node->key == NULL) {
        add(path, "[%zu]", index_of(node));
    } else {
        add(path, "%s%s", path->used > 0 ? "." : "", node->key);
    }
}

const char *config_node_path(const struct config_node *node, char *buffer, size_t capacity)
{
    struct path path = { buffer, capacity, 0 };

    buffer[0] = '\0';
    add_node(&path, node);
    return buffer;
}

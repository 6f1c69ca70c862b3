/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML as a tree in which every node keeps file, line and column. Strict: no duplicate keys,
 * anchors, aliases, tags, several documents, non-scalar keys; depth ≤ 32, file ≤ 1 MiB. Scalars
 * stay text. core/config/yaml.c is the only home of libyaml.
 */
#ifndef CAIRN_CORE_CONFIG_TREE_H
#define CAIRN_CORE_CONFIG_TREE_H

#include "core/config/problem.h"

#include <stdbool.h>

#define CONFIG_MAX_BYTES   (1024u * 1024u)
#define CONFIG_MAX_DEPTH   32
#define CONFIG_MAX_ENTRIES 1000 /* of one list or map */

enum config_node_kind {
    CONFIG_SCALAR = 1,
    CONFIG_LIST = 2,
    CONFIG_MAP = 3,
    CONFIG_REFUSED = 4, /* its problem is reported: whoever meets it stays silent */
};

struct config_node {
    enum config_node_kind kind;
    struct config_position position, end; /* from here to before there */
    char *key;                            /* in a map: the key; else NULL */
    struct config_position key_position;
    char *text;                       /* scalar: the text, substituted later; else NULL */
    char *written;                    /* scalar: the text before its substitution; else NULL */
    bool quoted;                      /* scalar: written in quotes or as a block */
    bool secret;                      /* scalar: holds a substituted ${file:} or ${env:} value */
    struct config_node *first, *next; /* children; the next sibling */
    size_t count;
    const struct config_node *parent; /* NULL: the top */
};

/* Parses `bytes` of YAML; `name` is what messages call the file and must outlive the tree. What is
 * refused is reported. NULL when nothing can be made of the text; otherwise the tree, so that the
 * rest of it can be checked: ask `problems->errors` whether it was good. */
struct config_node *config_parse(const char *name, const char *data, size_t bytes,
                                 struct config_problems *problems);
/* The same for one layer of several: a text with nothing in it is no problem, but NULL. */
struct config_node *config_parse_layer(const char *name, const char *data, size_t bytes,
                                       struct config_problems *problems);
void config_node_destroy(struct config_node *node);
/* A copy with all below it, without a parent; NULL: no memory. */
struct config_node *config_node_copy(const struct config_node *node);
const struct config_node *config_get(const struct config_node *map, const char *key);

/* "filters.fatal.signals[1]" in `buffer`, cut where it does not fit; "" for the top. */
const char *config_node_path(const struct config_node *node, char *buffer, size_t capacity);

#endif

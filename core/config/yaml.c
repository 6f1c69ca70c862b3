/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML to a tree: the only file that sees libyaml. What YAML offers for surprises is refused:
 * anchors, aliases, tags, several documents, keys that are not scalars or stand twice. Every
 * process but the crashed one; the text is hostile.
 */
#include "core/config/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define MAX_NODES     50000
#define MAX_KEY_BYTES 256

struct level {
    struct config_node *node, *last; /* a list or map, and its last child so far */
};

struct builder {
    const char *name;
    struct config_problems *problems;
    struct config_node *root;
    struct level levels[CONFIG_MAX_DEPTH];
    size_t depth, nodes;
    char *key; /* of the map on top: read, its value still to come */
    struct config_position key_position;
    unsigned documents;
};

/* libyaml counts lines and columns from 0. */
static struct config_position position_of(const char *name, const yaml_mark_t *mark)
{
    return (struct config_position){ name, (unsigned)mark->line + 1, (unsigned)mark->column + 1 };
}

/* Reports what ends the reading; always -1. */
static int give_up(struct builder *builder, const yaml_event_t *event, const char *text)
{
    config_problem_add(builder->problems, position_of(builder->name, &event->start_mark), "", "%s",
                       text);
    return -1;
}

static int no_memory(struct builder *builder)
{
    config_problem_add(builder->problems, (struct config_position){ builder->name, 0, 0 }, "",
                       "there is not enough memory to read it");
    return -1;
}

/* Reports what is wrong with a node without ending the reading. */
static void refuse(struct builder *builder, const struct config_node *node, const char *text)
{
    char path[512];

    config_problem_add(builder->problems, node->position,
                       config_node_path(node, path, sizeof(path)), "%s", text);
}

static bool wants_key(const struct builder *builder)
{
    return builder->depth > 0 && builder->levels[builder->depth - 1].node->kind == CONFIG_MAP &&
           builder->key == NULL;
}

/* Hangs a new node where the events are; NULL after the problem that ends the reading. */
static struct config_node *place(struct builder *builder, const yaml_event_t *event,
                                 enum config_node_kind kind)
{
    struct level *level = builder->depth > 0 ? &builder->levels[builder->depth - 1] : NULL;
    struct config_node *node;

    if (wants_key(builder)) {
        give_up(builder, event, "a key must be a single value, not a list, a map or an alias");
        return NULL;
    }
    if (++builder->nodes > MAX_NODES ||
        (level != NULL && level->node->count >= CONFIG_MAX_ENTRIES)) {
        give_up(builder, event, "there are too many entries here (at most 1000 in a list or map)");
        return NULL;
    }
    node = calloc(1, sizeof(*node));
    if (node == NULL) {
        no_memory(builder);
        return NULL;
    }
    node->kind = kind;
    node->position = position_of(builder->name, &event->start_mark);
    node->end = position_of(builder->name, &event->end_mark);
    node->key = builder->key;
    node->key_position = builder->key_position;
    builder->key = NULL;
    if (level == NULL) {
        builder->root = node;
        return node;
    }
    node->parent = level->node;
    *(level->last != NULL ? &level->last->next : &level->node->first) = node;
    level->last = node;
    level->node->count++;
    return node;
}

static void refuse_properties(struct builder *builder, const struct config_node *node,
                              const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL) {
        refuse(builder, node, "anchors (&name) are not allowed; write the value out");
    }
    if (tag != NULL) {
        refuse(builder, node, "tags (!name) are not allowed; quote a value that begins with !");
    }
}

static int on_key(struct builder *builder, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;

    if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL) {
        return give_up(builder, event, "a key cannot have an anchor or a tag");
    }
    if (length == 0) {
        return give_up(builder, event, "a key is empty");
    }
    if (length > MAX_KEY_BYTES || strlen(text) != length) {
        return give_up(builder, event, "a key is longer than 256 bytes or holds a NUL byte");
    }
    builder->key = strdup(text);
    builder->key_position = position_of(builder->name, &event->start_mark);
    return builder->key != NULL ? 0 : no_memory(builder);
}

static int on_scalar(struct builder *builder, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    struct config_node *node;

    if (wants_key(builder)) {
        return on_key(builder, event);
    }
    node = place(builder, event, CONFIG_SCALAR);
    if (node == NULL) {
        return -1;
    }
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = strdup(text);
    if (node->text == NULL) {
        return no_memory(builder);
    }
    refuse_properties(builder, node, event->data.scalar.anchor, event->data.scalar.tag);
    if (strlen(text) != event->data.scalar.length) {
        refuse(builder, node, "the value holds a NUL byte");
        node->kind = CONFIG_REFUSED;
    }
    return 0;
}

static int on_alias(struct builder *builder, const yaml_event_t *event)
{
    struct config_node *node = place(builder, event, CONFIG_REFUSED);

    if (node == NULL) {
        return -1;
    }
    refuse(builder, node, "aliases (*name) are not allowed; quote a value that begins with *");
    return 0;
}

static int on_start(struct builder *builder, const yaml_event_t *event, enum config_node_kind kind,
                    const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct config_node *node;

    if (builder->depth == CONFIG_MAX_DEPTH) {
        return give_up(builder, event, "lists and maps are nested more than 32 deep");
    }
    node = place(builder, event, kind);
    if (node == NULL) {
        return -1;
    }
    refuse_properties(builder, node, anchor, tag);
    builder->levels[builder->depth++] = (struct level){ node, NULL };
    return 0;
}

static int on_end(struct builder *builder, const yaml_event_t *event)
{
    builder->levels[--builder->depth].node->end = position_of(builder->name, &event->end_mark);
    return 0;
}

static int on_event(struct builder *builder, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++builder->documents > 1) {
            return give_up(builder, event, "a second document begins here; only one is allowed");
        }
        return 0;
    case YAML_SCALAR_EVENT:
        return on_scalar(builder, event);
    case YAML_ALIAS_EVENT:
        return on_alias(builder, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(builder, event, CONFIG_LIST, event->data.sequence_start.anchor,
                        event->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return on_start(builder, event, CONFIG_MAP, event->data.mapping_start.anchor,
                        event->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_end(builder, event);
    default:
        return 0;
    }
}

/* What the two usual slips look like to libyaml, in the words of the person who made them. */
static const char *hint(const yaml_parser_t *parser, char at)
{
    if (at == '\t') {
        return "; a tab cannot indent, use spaces";
    }
    if (parser->context != NULL && (strstr(parser->context, "an alias") != NULL ||
                                    strstr(parser->context, "an anchor") != NULL)) {
        return "; quote a value that begins with * or &";
    }
    return "";
}

static void report_syntax(struct builder *builder, const yaml_parser_t *parser, const char *data,
                          size_t bytes)
{
    struct config_position place = position_of(builder->name, &parser->problem_mark);
    struct config_position begin = position_of(builder->name, &parser->context_mark);
    struct config_cursor cursor;
    char at = '\0'; /* the character at the place; NUL at the end */

    config_cursor_init(&cursor, data, bytes);
    if (config_cursor_seek(&cursor, place) && cursor.offset < bytes) {
        at = data[cursor.offset];
    }
    config_hide_suspect(builder->problems, data, bytes, at != '\0' ? place : begin);
    if (parser->error == YAML_MEMORY_ERROR) {
        no_memory(builder);
    } else if (parser->context == NULL) {
        config_problem_add(builder->problems, place, "", "not valid YAML: %s%s",
                           parser->problem != NULL ? parser->problem : "it cannot be read",
                           hint(parser, at));
    } else if (at == '\0') {
        /* What was begun and never ended: the end of the file is no place to look at. */
        config_problem_add(builder->problems, begin, "",
                           "not valid YAML: %s at %u:%u %s that begins here", parser->problem,
                           place.line, place.column, parser->context);
    } else {
        config_problem_add(builder->problems, place, "",
                           "not valid YAML: %s %s that begins at %u:%u%s", parser->problem,
                           parser->context, begin.line, begin.column, hint(parser, at));
    }
}

static int read_events(struct builder *builder, const char *data, size_t bytes)
{
    yaml_parser_t parser;
    yaml_event_t event;
    size_t mark = bytes >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    bool ended = false;
    int result = 0;

    if (yaml_parser_initialize(&parser) == 0) {
        return no_memory(builder);
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)data + mark, bytes - mark);
    while (result == 0 && !ended) {
        if (yaml_parser_parse(&parser, &event) == 0) {
            report_syntax(builder, &parser, data, bytes);
            result = -1;
            break;
        }
        ended = event.type == YAML_STREAM_END_EVENT;
        result = on_event(builder, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return result;
}

/* Takes keys out that stand a second time in the same map, and reports them. */
static void drop_duplicates(struct builder *builder, struct config_node *node)
{
    struct config_node **link = &node->first;

    while (*link != NULL) {
        struct config_node *child = *link;
        const struct config_node *first = child->key != NULL ? config_get(node, child->key) : child;

        if (first != child) {
            char path[512];

            config_problem_add(builder->problems, child->key_position,
                               config_node_path(child, path, sizeof(path)),
                               "the key stands twice: here on line %u and before on line %u",
                               child->key_position.line, first->key_position.line);
            config_hide(builder->problems, child, false);
            *link = child->next;
            child->next = NULL;
            node->count--;
            config_node_destroy(child);
            continue;
        }
        drop_duplicates(builder, child);
        link = &child->next;
    }
}

struct config_node *config_parse_layer(const char *name, const char *data, size_t bytes,
                                       struct config_problems *problems)
{
    struct builder builder = { .name = name, .problems = problems };

    if (bytes > CONFIG_MAX_BYTES) {
        config_problem_add(problems, (struct config_position){ name, 0, 0 }, "",
                           "the file is larger than 1 MiB");
        return NULL;
    }
    if (!config_check_text(name, data, bytes, problems)) {
        return NULL;
    }
    if (read_events(&builder, data, bytes) != 0) {
        free(builder.key);
        config_node_destroy(builder.root);
        return NULL;
    }
    if (builder.root != NULL) {
        drop_duplicates(&builder, builder.root);
    }
    return builder.root;
}

struct config_node *config_parse(const char *name, const char *data, size_t bytes,
                                 struct config_problems *problems)
{
    size_t errors = problems->errors;
    struct config_node *root = config_parse_layer(name, data, bytes, problems);

    if (root == NULL && problems->errors == errors) {
        config_problem_add(problems, (struct config_position){ name, 0, 0 }, "",
                           "the file is empty; it needs \"version: 1\" and pipelines");
    }
    return root;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipelines: which instances a report passes, in which order, and the topology of the whole:
 * everything named exists, everything that exists is named. Every process but the crashed one.
 */
#include "core/config/internal.h"

#include <string.h>

struct patterns {
    char **items;
    size_t count;
};

struct topology {
    struct config_check *check;
    bool *used; /* by index of the instance */
};

/* ---- match --------------------------------------------------------------------------------- */

/* What is wrong with a pattern, or NULL. An executable's path is absolute: a pattern that holds a
 * slash and begins otherwise matches nothing, and nobody would notice. */
static const char *objection(const char *pattern, bool is_path)
{
    if (pattern[0] == '\0') {
        return "the pattern is empty";
    }
    if (is_path && pattern[0] == '~') {
        return "patterns know no home folder; write the path out";
    }
    if (is_path && strchr(pattern, '/') != NULL && strchr("/*?[\\", pattern[0]) == NULL) {
        return "this matches no absolute path; begin it with \"/\" or \"*\"";
    }
    return NULL;
}

static void add_pattern(struct config_check *check, const struct config_node *node, bool is_path,
                        struct patterns *patterns)
{
    const char *fault;
    char *copy;

    if (!config_expect(check, node, CONFIG_SCALAR)) {
        return;
    }
    fault = objection(node->text, is_path);
    if (fault != NULL) {
        config_complain(check, node, "%s", fault);
        return;
    }
    copy = config_arena_text(check->arena, node->text);
    if (copy == NULL) {
        check->no_memory = true;
        return;
    }
    patterns->items[patterns->count++] = copy;
}

/* One pattern or a list of them. */
static struct patterns read_patterns(struct config_check *check, const struct config_node *match,
                                     const char *key)
{
    const struct config_node *node = config_get(match, key);
    bool is_path = strcmp(key, "exe") == 0;
    struct patterns patterns = { NULL, 0 };

    if (node == NULL) {
        return patterns;
    }
    patterns.items = config_arena_take(check->arena, (node->count + 1) * sizeof(char *));
    if (patterns.items == NULL) {
        check->no_memory = true;
    } else if (node->kind != CONFIG_LIST) {
        add_pattern(check, node, is_path, &patterns);
    } else if (node->count == 0) {
        config_complain(check, node, "needs at least one pattern; leave the key out to match all");
    } else {
        for (const struct config_node *n = node->first; n != NULL; n = n->next) {
            add_pattern(check, n, is_path, &patterns);
        }
    }
    return patterns;
}

static void read_match(struct config_check *check, const struct config_node *node,
                       struct config_match *match)
{
    static const char *const keys[] = { "exe", "user", "application", NULL };
    static const struct config_table table = { .others = keys };
    struct patterns patterns;

    if (node == NULL || !config_expect(check, node, CONFIG_MAP)) {
        return;
    }
    config_keys_check(check, node, &table);
    patterns = read_patterns(check, node, "exe");
    match->executables = patterns.items;
    match->executable_count = patterns.count;
    patterns = read_patterns(check, node, "user");
    match->users = patterns.items;
    match->user_count = patterns.count;
    patterns = read_patterns(check, node, "application");
    match->applications = patterns.items;
    match->application_count = patterns.count;
}

/* ---- stages -------------------------------------------------------------------------------- */

/* The index of an instance, or -1. */
static long find(const struct config *config, enum cairn_kind kind, const char *id)
{
    for (size_t i = 0; i < config->instance_count; i++) {
        if (config->instances[i].kind == kind && strcmp(config->instances[i].id, id) == 0) {
            return (long)i;
        }
    }
    return -1;
}

static void complain_unknown(struct config_check *check, const struct config_node *node,
                             enum cairn_kind kind)
{
    const struct config *config = check->config;
    const char *ids[CONFIG_MAX_ENTRIES + 1];
    char quoted[CONFIG_QUOTED_BYTES], hint[CONFIG_QUOTED_BYTES];
    size_t count = 0;

    if (config_is_full(check)) {
        config_complain(check, node, "unknown");
        return;
    }
    for (int other = CAIRN_KIND_FILTER; other <= CAIRN_KIND_TRANSPORT; other++) {
        if (find(config, other, node->text) >= 0) {
            config_complain(check, node, "%s stands under %s, not under %s",
                            config_quote_node(node, quoted), config_section(other),
                            config_section(kind));
            return;
        }
    }
    for (size_t i = 0; i < config->instance_count && count < CONFIG_MAX_ENTRIES; i++) {
        if (config->instances[i].kind == kind) {
            ids[count++] = config->instances[i].id;
        }
    }
    ids[count] = NULL;
    config_did_you_mean(node->text, ids, hint);
    config_complain(check, node, "there is no %s %s%s", config_kind(kind),
                    config_quote_node(node, quoted), hint);
}

static void add_member(struct topology *topology, const struct config_node *node,
                       enum cairn_kind kind, struct config_stage *stage)
{
    struct config_check *check = topology->check;
    char quoted[CONFIG_QUOTED_BYTES];
    long index;

    if (!config_expect(check, node, CONFIG_SCALAR)) {
        return;
    }
    index = find(check->config, kind, node->text);
    if (index < 0) {
        complain_unknown(check, node, kind);
        return;
    }
    for (size_t i = 0; i < stage->count; i++) {
        if (stage->instances[i] == (size_t)index) {
            config_complain(check, node, "%s stands twice in this list",
                            config_quote_node(node, quoted));
            return;
        }
    }
    topology->used[index] = true;
    stage->instances[stage->count++] = (size_t)index;
}

static void read_stage(struct topology *topology, const struct config_node *pipeline,
                       enum cairn_kind kind, struct config_stage *stage)
{
    struct config_check *check = topology->check;
    const struct config_node *list = config_get(pipeline, config_section(kind));

    if (list == NULL || !config_expect(check, list, CONFIG_LIST)) {
        return;
    }
    stage->instances = config_arena_take(check->arena, (list->count + 1) * sizeof(size_t));
    if (stage->instances == NULL) {
        check->no_memory = true;
        return;
    }
    for (const struct config_node *node = list->first; node != NULL; node = node->next) {
        add_member(topology, node, kind, stage);
    }
}

/* ---- pipelines ----------------------------------------------------------------------------- */

static bool matches_all(const struct config_match *match)
{
    return match->executable_count == 0 && match->user_count == 0 && match->application_count == 0;
}

static void read_pipeline(struct topology *topology, const struct config_node *map,
                          struct config_pipeline *pipeline)
{
    static const char *const keys[] = { "match", "filters",    "annotators", "writers",
                                        "hooks", "transports", NULL };
    static const struct config_table table = { .others = keys };
    struct config_check *check = topology->check;

    pipeline->id = config_arena_text(check->arena, map->key);
    pipeline->position = map->key_position;
    config_check_id(check, map);
    if (!config_expect(check, map, CONFIG_MAP)) {
        return;
    }
    config_keys_check(check, map, &table);
    read_match(check, config_get(map, "match"), &pipeline->match);
    for (int kind = CAIRN_KIND_FILTER; kind <= CAIRN_KIND_TRANSPORT; kind++) {
        read_stage(topology, map, kind, &pipeline->stages[kind]);
    }
}

/* Layers below are not what somebody is working on, and may serve others. */
static bool is_own(const struct config *config, struct config_position position)
{
    return !config->layered || strcmp(position.file, config->root->position.file) == 0;
}

/* What is legal and still not meant. */
static void warn(struct topology *topology, const struct config_node *section)
{
    const struct config *config = topology->check->config;
    const struct config_pipeline *all = NULL;
    const struct config_node *map = section->first;

    for (size_t i = 0; i < config->pipeline_count; i++, map = map->next) {
        if (all != NULL && is_own(config, map->key_position)) {
            config_warn_key(topology->check, map,
                            "never chosen, since the pipeline \"%s\" above it matches every crash",
                            all->id);
        } else if (all == NULL && matches_all(&config->pipelines[i].match)) {
            all = &config->pipelines[i];
        }
    }
    for (size_t i = 0; i < config->instance_count; i++) {
        if (!topology->used[i] && is_own(config, config->instances[i].node->key_position)) {
            config_warn_key(topology->check, config->instances[i].node, "no pipeline uses this %s",
                            config_kind(config->instances[i].kind));
        }
    }
}

void config_read_pipelines(struct config_check *check, const struct config_node *root)
{
    const struct config_node *section = config_get(root, "pipelines");
    struct config *config = check->config;
    struct topology topology = { .check = check };

    if (section == NULL) {
        config_complain(check, root, "the key \"pipelines\" is missing");
        return;
    }
    if (!config_expect(check, section, CONFIG_MAP)) {
        return;
    }
    if (section->count == 0) {
        config_complain(check, section, "needs at least one pipeline");
        return;
    }
    topology.used = config_arena_take(check->arena, config->instance_count + 1);
    config->pipelines =
        config_arena_take(check->arena, section->count * sizeof(*config->pipelines));
    if (topology.used == NULL || config->pipelines == NULL) {
        check->no_memory = true;
        return;
    }
    for (const struct config_node *map = section->first; map != NULL; map = map->next) {
        read_pipeline(&topology, map, &config->pipelines[config->pipeline_count++]);
    }
    if (check->problems->errors == 0) {
        warn(&topology, section);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a file to a checked configuration, and the check of a tree however it came about. Every
 * process but the crashed one.
 */
#include "core/config/internal.h"

#include <stdlib.h>
#include <string.h>

static struct config *create(const char *name)
{
    struct config *config = calloc(1, sizeof(*config));
    struct config_arena *arena = calloc(1, sizeof(*arena));

    if (config == NULL || arena == NULL) {
        free(config);
        free(arena);
        return NULL;
    }
    config->arena = arena;
    config->name = config_arena_text(arena, name);
    if (config->name == NULL) {
        config_destroy(config);
        return NULL;
    }
    return config;
}

int config_create(const char *name, struct config_problems *problems, struct config **ret_config)
{
    struct config *config = create(name);

    if (config == NULL) {
        return config_refuse(problems, name, CAIRN_ENOMEM, "there is not enough memory to read it");
    }
    *ret_config = config;
    return 0;
}

/* Takes the text of the program's file, or the only one there is. */
struct config_node *config_take_text(struct config_check *check, bool is_file, struct buf *text)
{
    struct config *config = check->config;
    struct config_source *source = config_source_keep(check->arena, config->name, is_file, text);

    if (source == NULL) {
        check->no_memory = true;
        return NULL;
    }
    config->source = source->text;
    config->source_bytes = source->bytes;
    return config_parse(source->name, source->text, source->bytes, check->problems);
}

void config_check_version(struct config_check *check, struct config_node *root, bool required)
{
    struct config_node *node = (struct config_node *)config_get(root, "version");
    char quoted[CONFIG_QUOTED_BYTES];

    if (node == NULL || config_is_null(node)) {
        if (required) {
            config_complain(check, node != NULL ? node : root,
                            "the version is missing; write \"version: 1\"");
        }
    } else if (config_expect(check, node, CONFIG_SCALAR) && strcmp(node->text, "1") != 0) {
        config_complain(check, node, "this Cairn reads version 1, not %s",
                        config_quote_node(node, quoted));
        node->kind = CONFIG_REFUSED; /* said once, in whatever layer it stands */
    }
}

const char *const config_top_keys[] = { "version",    "application", "engine",  "consent",
                                        "filters",    "annotators",  "writers", "hooks",
                                        "transports", "pipelines",   NULL };

void config_check_all(struct config_check *check, struct config_node *root)
{
    static const struct config_table table = { .others = config_top_keys };

    if (root->kind != CONFIG_MAP) {
        config_problem_add(check->problems, root->position, "",
                           "the top level must be a map, as in \"version: 1\"");
        return;
    }
    config_substitute(check, root);
    config_keys_check(check, root, &table);
    config_check_version(check, root, true);
    config_read_application(check, root);
    config_read_engine(check, root);
    config_read_consent(check, root);
    config_read_instances(check, root);
    if (!check->no_memory) {
        config_read_pipelines(check, root);
    }
}

int config_load(const char *path, int fd, const char *name, struct config **ret_config,
                struct config_problems *problems)
{
    struct config_check check = { .problems = problems };
    size_t errors = problems->errors;
    struct buf text;
    int result;

    name = path != NULL ? path : name;
    result = config_source_read(path, fd, name, &text, problems);
    if (result == 0) {
        result = config_create(name, problems, &check.config);
    }
    if (result != 0) {
        buf_finish(&text);
        return result;
    }
    *ret_config = check.config;
    check.arena = check.config->arena;
    check.config->root = config_take_text(&check, path != NULL, &text);
    buf_finish(&text);
    if (check.config->root != NULL) {
        config_check_all(&check, check.config->root);
    }
    return config_check_end(&check, errors);
}

void config_destroy(struct config *config)
{
    if (config == NULL) {
        return;
    }
    config_node_destroy(config->root);
    config_arena_destroy(config->arena);
    free(config);
}

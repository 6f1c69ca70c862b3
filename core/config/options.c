/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binding: the options of every instance become the structure that its plugin expects. Engine,
 * sender, tools; the plugins' tables are hostile.
 */
#include "core/config/internal.h"

static void bind_instance(struct config_check *check, struct config_instance *instance,
                          const struct config_plugin_facts *facts)
{
    static const struct cairn_option none[] = { { .name = NULL } };
    struct config_table table = { .options = facts->options != NULL ? facts->options : none,
                                  .plugin = instance->plugin,
                                  .others = config_common_keys };
    void *options;
    uint64_t set;

    if (!config_table_check(check, instance, facts)) {
        return;
    }
    options = config_arena_take(check->arena, facts->config_size + 1);
    if (options == NULL) {
        check->no_memory = true;
        return;
    }
    config_hide_secrets(check, instance, facts);
    if (config_table_read(check, instance->node, &table, options, &set)) {
        instance->options = options;
        instance->options_bytes = facts->config_size;
        instance->options_set = set;
        instance->table = table.options;
    }
}

int config_bind(struct config *config, config_find_fn *find, void *user,
                struct config_problems *problems)
{
    struct config_check check = { .config = config, .arena = config->arena, .problems = problems };
    size_t errors = problems->errors;

    config_problems_unhide(problems);
    for (size_t i = 0; i < config->instance_count; i++) {
        struct config_instance *instance = &config->instances[i];
        const struct config_plugin_facts *facts = NULL;

        if (instance->plugin[0] != '\0') {
            facts = find(instance, problems, user);
        }
        if (facts != NULL) {
            bind_instance(&check, instance, facts);
        } else if (instance->node->kind == CONFIG_MAP) {
            config_hide_instance(&check, instance);
        }
    }
    return config_check_end(&check, errors);
}

struct config_position config_option_position(const struct config_instance *instance,
                                              const char *option)
{
    const struct config_node *node = config_get(instance->node, option);

    return node != NULL ? node->position : instance->node->key_position;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binds a configuration to its plugins: each instance's plugin is found and described, then
 * core/config types the options by the plugin's table. Instances of one plugin share its facts and
 * descriptor. Engine, sender, tools.
 */
#include "core/plugin/internal.h"
#include "core/util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct binding {
    const struct config *config;
    struct plugin_set set;
};

bool plugin_uses_network(const struct config_instance *instance, const struct plugin_facts *facts)
{
    return (facts->capabilities & CAIRN_CAP_NETWORK) != 0 && !instance->no_network;
}

/* At the value of `plugin:`, without the full stop that an error's sentence has. */
static void complain(const struct config_instance *instance, const struct error *error,
                     struct config_problems *problems)
{
    const struct config_node *node = config_get(instance->node, "plugin");
    struct config_position position =
        node != NULL ? node->position : config_option_position(instance, "plugin");
    char path[256];
    size_t bytes = strlen(error->text);

    if (bytes > 0 && error->text[bytes - 1] == '.') {
        bytes--;
    }
    snprintf(path, sizeof(path), "%s.%s.plugin", config_section(instance->kind), instance->id);
    config_problem_add(problems, position, path, "%.*s", (int)bytes, error->text);
}

/* The same plugin in an instance before this one, or `index` if there is none. */
static size_t earlier(const struct binding *binding, size_t index)
{
    const struct config_instance *instances = binding->config->instances;

    for (size_t i = 0; i < index; i++) {
        if (binding->set.facts[i] != NULL && instances[i].kind == instances[index].kind &&
            strcmp(instances[i].plugin, instances[index].plugin) == 0) {
            return i;
        }
    }
    return index;
}

static const struct config_plugin_facts *find(const struct config_instance *instance,
                                              struct config_problems *problems, void *user)
{
    struct binding *binding = user;
    struct plugin_set *set = &binding->set;
    size_t index = (size_t)(instance - binding->config->instances);
    size_t same = earlier(binding, index);
    struct error error = { 0, "" };
    char *path = NULL;

    if (same != index) {
        set->facts[index] = set->facts[same];
        set->fds[index] = set->fds[same];
        return &set->facts[index]->config;
    }
    int fd = plugin_open(instance->kind, instance->plugin, &path, &error);
    if (fd >= 0 && plugin_describe(fd, path, &set->facts[index], &error) < 0) {
        close(fd);
        fd = -1;
    }
    free(path);
    if (fd < 0) {
        complain(instance, &error, problems);
        return NULL;
    }
    set->fds[index] = fd;
    return &set->facts[index]->config;
}

static int make_set(size_t count, struct plugin_set *ret_set)
{
    struct plugin_set set = { calloc(count + 1, sizeof(struct plugin_facts *)),
                              calloc(count + 1, sizeof(int)), count };

    if (set.facts == NULL || set.fds == NULL) {
        free(set.facts);
        free(set.fds);
        return CAIRN_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        set.fds[i] = -1;
    }
    *ret_set = set;
    return 0;
}

static bool is_shared(const struct plugin_set *set, size_t index)
{
    for (size_t i = 0; i < set->count; i++) {
        if (i != index && set->facts[i] == set->facts[index]) {
            return true;
        }
    }
    return false;
}

/* Makes an instance unusable; the last of its plugin lets go of it. */
static void drop(struct plugin_set *set, size_t index)
{
    if (set->facts[index] != NULL && !is_shared(set, index)) {
        plugin_facts_destroy(set->facts[index]);
        close(set->fds[index]);
    }
    set->facts[index] = NULL;
    set->fds[index] = -1;
}

int plugin_bind(struct config *config, struct plugin_set *ret_set, struct config_problems *problems)
{
    struct binding binding = { .config = config };
    int result = make_set(config->instance_count, &binding.set);

    if (result < 0) {
        config_problem_add(problems, (struct config_position){ config->name, 0, 0 }, "",
                           "there is no memory to read the plugins");
        return result;
    }
    result = config_bind(config, find, &binding, problems);
    if (result == CAIRN_ENOMEM) {
        plugin_set_finish(&binding.set);
        return result;
    }
    for (size_t i = 0; i < config->instance_count; i++) {
        if (config->instances[i].options == NULL) {
            drop(&binding.set, i);
        }
    }
    *ret_set = binding.set;
    return result;
}

void plugin_set_finish(struct plugin_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        drop(set, i);
    }
    free(set->facts);
    free(set->fds);
    *set = (struct plugin_set){ NULL, NULL, 0 };
}

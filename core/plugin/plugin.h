/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plugins from the host's side: found by kind and name, verified by descriptor, described from the
 * file's bytes without running their code, and loaded only inside a step. Engine, sender, tools.
 */
#ifndef CAIRN_CORE_PLUGIN_PLUGIN_H
#define CAIRN_CORE_PLUGIN_PLUGIN_H

#include "core/config/config.h"
#include "core/util/error.h"

#include <cairn/plugin.h>
#include <stdbool.h>

/* What a plugin's file says of itself. Owned copies; every text bounded and checked. */
struct plugin_facts {
    char *path;
    enum cairn_kind kind;
    char *name, *version, *summary;
    unsigned abi_major, abi_minor;
    uint64_t capabilities;
    uint32_t stage;               /* filters: ops.flags */
    char *extension, *media_type; /* writers */
    struct cairn_option *options; /* ended by a NULL name */
    size_t option_count, config_size;
    struct config_plugin_facts config; /* the same for core/config */
};

/* Opens <folder>/<kind>/<name>.so in the plugin folders and checks owner and mode: a descriptor for
 * plugin_describe() and plugin_load(), or CAIRN_ENOENT, CAIRN_EPERM, CAIRN_ESYSTEM with text. */
int plugin_open(enum cairn_kind kind, const char *name, char **ret_path, struct error *error);

/* Reads descriptor, options and operations' constants from the ELF file's bytes. Hostile input.
 * 0, CAIRN_EPLUGIN (wrong magic, kind, ABI: the sentence says both numbers), CAIRN_EFORMAT. */
int plugin_describe(int fd, const char *path, struct plugin_facts **ret_facts, struct error *error);
void plugin_facts_destroy(struct plugin_facts *facts);

/* Facts of all plugins in the plugin folders, sorted by kind and name; those that cannot be used
 * are reported through `complain` and left out. */
struct plugin_list {
    struct plugin_facts **items;
    size_t count;
};
int plugin_scan(struct plugin_list *ret_list,
                void (*complain)(const char *path, const struct error *error, void *user),
                void *user);
void plugin_list_finish(struct plugin_list *list);

/* The plugins that one configuration uses, by config.instances index. */
struct plugin_set {
    struct plugin_facts **facts; /* NULL: not usable */
    int *fds;                    /* kept open for plugin_load(); -1 */
    size_t count;
};

/* Finds and describes the plugins of all instances and binds their options: the whole of a
 * configuration's check that needs no plugin code. 0; CAIRN_ECONFIG with problems, and the set
 * holds the instances that can be used nevertheless, since a crash must be reported all the same;
 * or CAIRN_ENOMEM without a set. */
int plugin_bind(struct config *config, struct plugin_set *ret_set,
                struct config_problems *problems);
void plugin_set_finish(struct plugin_set *set);

/* Whether a step of this instance gets the network: its plugin declares it, and the configuration
 * does not withhold it. */
bool plugin_uses_network(const struct config_instance *instance, const struct plugin_facts *facts);

/* Loads through the open descriptor; only in a step's process. */
int plugin_load(int fd, const struct plugin_facts *facts, const struct cairn_plugin **ret_plugin,
                struct error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads a plugin's code through the descriptor that was checked and described, so that no other
 * file can come in between; then compares what the dynamic linker made with what was read. Never
 * unloads. Runs in a step's process only: from here on the plugin's constructors have run.
 */
#include "core/plugin/internal.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static bool is_same_text(const char *loaded, const char *read)
{
    return loaded == NULL || read == NULL ? loaded == read : strcmp(loaded, read) == 0;
}

static bool has_same_options(const struct cairn_plugin *plugin, const struct plugin_facts *facts)
{
    const char *at = (const char *)plugin->options;

    if (plugin->config_size != facts->config_size) {
        return false;
    }
    if (at == NULL) {
        return facts->option_count == 0;
    }
    for (size_t i = 0; i < facts->option_count; i++, at += plugin->option_size) {
        const struct cairn_option *loaded = (const struct cairn_option *)at;
        const struct cairn_option *read = &facts->options[i];
        if (!is_same_text(loaded->name, read->name) || loaded->type != read->type ||
            loaded->offset != read->offset ||
            (loaded->flags & (CAIRN_OPTION_LIST | CAIRN_OPTION_MAP)) !=
                (read->flags & (CAIRN_OPTION_LIST | CAIRN_OPTION_MAP))) {
            return false;
        }
    }
    return ((const struct cairn_option *)at)->name == NULL;
}

/* What the host relies on when it calls the plugin. A descriptor that a constructor or a relocation
 * of another kind has changed is not the one that was checked. */
static bool agrees(const struct cairn_plugin *plugin, const struct plugin_facts *facts)
{
    return plugin->magic == CAIRN_PLUGIN_MAGIC && plugin->size >= PLUGIN_DESCRIPTOR_BYTES &&
           plugin->abi_major == facts->abi_major && plugin->abi_minor == facts->abi_minor &&
           plugin->kind == (uint32_t)facts->kind && is_same_text(plugin->name, facts->name) &&
           plugin->ops != NULL &&
           ((const struct cairn_filter_ops *)plugin->ops)->size >= PLUGIN_OPS_BYTES &&
           ((const struct cairn_filter_ops *)plugin->ops)->decide != NULL &&
           has_same_options(plugin, facts);
}

int plugin_load(int fd, const struct plugin_facts *facts, const struct cairn_plugin **ret_plugin,
                struct error *error)
{
    char path[64];
    void *handle;
    const struct cairn_plugin *plugin;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (handle == NULL) {
        const char *reason = dlerror();
        return error_set(error, CAIRN_EPLUGIN, "%s cannot be loaded: %s.", facts->path,
                         reason != NULL ? reason : "unknown error");
    }
    plugin = dlsym(handle, PLUGIN_SYMBOL);
    if (plugin == NULL || !agrees(plugin, facts)) {
        return error_set(error, CAIRN_EPLUGIN,
                         "%s holds another descriptor once it is loaded than in its file.",
                         facts->path);
    }
    *ret_plugin = plugin;
    return 0;
}

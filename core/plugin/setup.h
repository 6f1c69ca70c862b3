/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration with its plugins, as engine, sender and tools work with it: loaded from wherever
 * it is, bound, with everything that is wrong with it. Engine, sender, tools.
 */
#ifndef CAIRN_CORE_PLUGIN_SETUP_H
#define CAIRN_CORE_PLUGIN_SETUP_H

#include "core/config/config.h"
#include "core/plugin/plugin.h"

#include <stdbool.h>

struct plugin_setup {
    struct config *config; /* NULL: not even its text could be read */
    struct config_problems problems;
    struct plugin_set plugins;
    bool usable; /* without problems */
};

/* Loads what `request` means, all layers, and binds its plugins, whose problems come in the same
 * round. 0, or an error of config_load_layers() or plugin_bind(), with problems. The setup is to be
 * finished in any case. */
int plugin_setup_load(struct plugin_setup *setup, const struct config_request *request);

/* The same for the configuration that a report was made with, which lies in the report's folder;
 * messages call it `name`. CAIRN_ENOENT, as a problem too, where there is none. */
int plugin_setup_load_own(struct plugin_setup *setup, int folder_fd, const char *name);

/* All problems, for people; what cannot be written is lost. */
void plugin_setup_print_problems(const struct plugin_setup *setup, int fd);
/* The same as JSON. False: not all could be written. */
bool plugin_setup_print_problems_json(const struct plugin_setup *setup, int fd);

void plugin_setup_finish(struct plugin_setup *setup);

#endif

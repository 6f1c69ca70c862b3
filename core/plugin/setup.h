/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration with its plugins, ready to be worked with, and what is wrong with it. Engine,
 * sender, tools. */
#ifndef CAIRN_CORE_PLUGIN_SETUP_H
#define CAIRN_CORE_PLUGIN_SETUP_H

#include "core/plugin/plugin.h"

#include <stdbool.h>

struct plugin_setup {
    struct config *config; /* NULL: not even its text could be read */
    struct plugin_set plugins;
    struct config_problems problems;
    bool usable; /* no problems */
};

/* Loads what the request names, with all layers, and binds the plugins; the problems of both come
 * in one round. 0, or an error with problems in the setup, which is to be finished in any case. */
int plugin_setup_load(struct plugin_setup *setup, const struct config_request *request);
/* Writes the problems, as lines or as JSON, to a descriptor. */
void plugin_setup_print(const struct plugin_setup *setup, int fd);
void plugin_setup_print_json(const struct plugin_setup *setup, int fd);
void plugin_setup_finish(struct plugin_setup *setup);

#endif

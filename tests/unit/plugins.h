/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of core/plugin share: the built test plugins, and a configuration from text. */
#ifndef CAIRN_TESTS_UNIT_PLUGINS_H
#define CAIRN_TESTS_UNIT_PLUGINS_H

#include "core/plugin/plugin.h"

/* The folder of the built test plugins, which becomes the first plugin folder. */
const char *plugins_use(void);

/* Opens and describes one of them; the facts, or NULL with the error. `ret_fd` may be NULL. */
struct plugin_facts *plugins_describe(enum cairn_kind kind, const char *name, int *ret_fd,
                                      struct error *error);

/* A configuration from YAML, bound to its plugins. Problems are printed into `text` of 4096 bytes.
 */
struct plugins_config {
    struct config *config;
    struct plugin_set set;
    int result; /* of plugin_bind(), or of config_load() before it */
    char text[4096];
};
void plugins_config_init(struct plugins_config *bound, const char *yaml);
void plugins_config_finish(struct plugins_config *bound);

#endif

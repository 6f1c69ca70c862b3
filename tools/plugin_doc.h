/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `cairn plugin` prints of a plugin's option table: on a terminal and as a manual page. Read
 * from the file's bytes; no plugin code runs.
 */
#ifndef CAIRN_TOOLS_PLUGIN_DOC_H
#define CAIRN_TOOLS_PLUGIN_DOC_H

#include "core/plugin/plugin.h"

/* "list of one of a | b, required", "duration from 1s, default 1h" on standard output. */
void plugin_print_type(const struct cairn_option *option);

/* One plugin as text. */
void plugin_print_text(const struct plugin_facts *facts);

/* The chosen plugins as a manual page in mdoc(7): all with a chapter per kind, or a single one. */
void plugin_print_man(struct plugin_facts *const *chosen, size_t count, bool all);

#endif

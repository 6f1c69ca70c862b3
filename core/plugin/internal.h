/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of core/plugin share: limits of a descriptor, what names and texts may be, and how
 * a plugin's file is opened. Not for other folders.
 */
#ifndef CAIRN_CORE_PLUGIN_INTERNAL_H
#define CAIRN_CORE_PLUGIN_INTERNAL_H

#include "core/plugin/elf.h"
#include "core/plugin/plugin.h"

#define PLUGIN_SYMBOL "cairn_plugin_entry"

#define PLUGIN_MAX_NAME      64
#define PLUGIN_MAX_TEXT      4096
#define PLUGIN_MAX_OPTIONS   64 /* config_instance.options_set has one bit for each */
#define PLUGIN_MAX_CHOICES   64
#define PLUGIN_MAX_CONFIG    65536
#define PLUGIN_MAX_STRUCTURE 4096 /* bytes of a descriptor, of operations, of an option */

/* What version 1.0 of the ABI had: no plugin's structure can be shorter. */
#define PLUGIN_DESCRIPTOR_BYTES 72
#define PLUGIN_OPS_BYTES        40 /* up to the kind's own call */
#define PLUGIN_OPTION_BYTES     24 /* up to `reserved`; what follows may be left out */

/* True for what plugins, instances and options may be called: a letter, then letters, digits, '_',
 * and '-' where `dashes` says so. */
bool plugin_is_name(const char *name, bool dashes);

/* One line of printable UTF-8 from the image, as an owned copy; `what` for the sentence, as in "the
 * summary". NULL stays NULL. */
int plugin_read_text(const struct elf_image *image, const void *address, size_t limit,
                     const char *what, char **ret_text, struct error *error);

/* Fills the facts' options from the table that the descriptor names. */
int plugin_read_options(const struct elf_image *image, const struct cairn_plugin *descriptor,
                        struct plugin_facts *facts, struct error *error);
void plugin_options_destroy(struct cairn_option *options);

/* Opens <folder>/<kind>/<name>.so and checks who could have changed it. */
int plugin_open_in(const char *folder, enum cairn_kind kind, const char *name, char **ret_path,
                   struct error *error);

/* Names of the plugin files of one kind in one folder, sorted, ended by NULL; to be freed each and
 * as a whole. An absent folder has none. NULL: no memory. */
char **plugin_names_in(const char *folder, enum cairn_kind kind);
void plugin_names_destroy(char **names);

#endif

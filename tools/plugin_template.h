/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that `cairn plugin new` writes, as a table that the build makes from tools/template/.
 * @NAME@, @KIND@, @SECTION@, @OPTIONS@, @TEST_OPTIONS@ and @WANTED@ in them are replaced.
 */
#ifndef CAIRN_TOOLS_PLUGIN_TEMPLATE_H
#define CAIRN_TOOLS_PLUGIN_TEMPLATE_H

struct plugin_template {
    const char *kind; /* for plugins of this kind only; NULL: for all */
    const char *name; /* of the file; NULL ends the table */
    const char *text;
};

extern const struct plugin_template plugin_templates[];

#endif

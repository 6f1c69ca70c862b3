/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `cairn plugin` that have files of their own; `argv[0]` is the part's name. */
#ifndef CAIRN_TOOLS_PLUGIN_TOOLS_H
#define CAIRN_TOOLS_PLUGIN_TOOLS_H

#include "tools/tool.h"

int plugin_lint(const struct tool *tool, int argc, char **argv);
int plugin_new(const struct tool *tool, int argc, char **argv);
int plugin_run(const struct tool *tool, int argc, char **argv);

#endif

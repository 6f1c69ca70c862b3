/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the file that a command would execute; says whether a library can be preloaded into it. */
#ifndef CAIRN_TOOLS_EXECUTABLE_H
#define CAIRN_TOOLS_EXECUTABLE_H

#include "core/util/error.h"

#include <limits.h>
#include <stdbool.h>

/* As execvp(3) would find `name`. 0, CAIRN_ENOENT, or CAIRN_EPERM when what exists is not
 * executable. */
int executable_find(const char *name, char ret_path[PATH_MAX], struct error *error);

/* 0, or CAIRN_EUNSUPPORTED with a sentence: static, set-id, file capabilities, another machine's.
 * For a script, of its interpreter. */
int executable_can_preload(const char *path, struct error *error);

/* Whether it begins with "#!"; false where it cannot be read. */
bool executable_is_script(const char *path);

#endif

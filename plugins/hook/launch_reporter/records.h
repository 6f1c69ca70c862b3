/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that hook/launch_reporter hands to a reporter: records of a key, the number of bytes of
 * the value, and the value, each ended by a line break, as Breakpad's reporters read them. Keys
 * that those know have Breakpad's names; attributes are parameters for the server. Runs in a step
 * of the engine.
 */
#ifndef CAIRN_PLUGINS_HOOK_LAUNCH_REPORTER_RECORDS_H
#define CAIRN_PLUGINS_HOOK_LAUNCH_REPORTER_RECORDS_H

#include <cairn/plugin.h>
#include <stdio.h>

/* Writes all records; `values` are the configuration's own, which come last. */
void records_write(FILE *stream, const struct cairn_hook_args *args,
                   const struct cairn_map *values);

#endif

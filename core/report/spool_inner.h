/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the spool share and nobody else needs. Engine, sender, tools.
 */
#ifndef CAIRN_CORE_REPORT_SPOOL_INNER_H
#define CAIRN_CORE_REPORT_SPOOL_INNER_H

#include "core/report/spool.h"

/* The folder of a state below the application's: a descriptor. */
int spool_open_state(int application_fd, enum spool_state state, struct error *error);

/* Calls `each` with the name of every entry of a folder until it answers non-zero, which is
 * returned.
 * "." and ".." are left out. The descriptor stays the caller's. */
typedef int spool_each_fn(int folder_fd, const char *name, void *user);
int spool_for_each(int folder_fd, spool_each_fn *each, void *user, struct error *error);

/* Adds `more` to drops.json[reason]. */
int spool_count_drops(int application_fd, const char *reason, uint64_t more, struct error *error);

#endif

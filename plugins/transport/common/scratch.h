/* SPDX-License-Identifier: Apache-2.0 */
/* Files without a name, gone with their descriptor. Runs in a step of the sender. */
#ifndef CAIRN_PLUGINS_TRANSPORT_COMMON_SCRATCH_H
#define CAIRN_PLUGINS_TRANSPORT_COMMON_SCRATCH_H

#include <cairn/plugin.h>
#include <stddef.h>

/* One on the disk that holds `folder`, the report's; -1 with errno set. */
int scratch_open(const char *folder);

/* Such a file with what the zstd file at `path` holds, or -1 after host->fail() has said why. */
int scratch_unpack(const struct cairn_host *host, const char *folder, const char *path);

#endif

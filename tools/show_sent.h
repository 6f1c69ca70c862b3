/* SPDX-License-Identifier: Apache-2.0 */
/* `cairn show --as-sent`: what a transport would send of a report. Runs in a user's shell. */
#ifndef CAIRN_TOOLS_SHOW_SENT_H
#define CAIRN_TOOLS_SHOW_SENT_H

#include "core/plugin/preview.h"
#include "tools/options.h"

/* Runs the transport `options->as_sent` on the report up to the transfer and prints what it would
 * have transferred; with `options->output` also makes a folder of it. An exit code. */
int show_sent(const struct tool *tool, const struct tool_options *options,
              const struct spool_entry *entry);

/* ---- show_sent_print.c ---- */

/* One part with what is to be said of its content. */
struct sent_part {
    const struct preview_part *part;
    uint64_t bytes;
    char sha256[65];    /* of a file's content */
    const char *packed; /* "zstd", "gzip": how a file's content is packed; NULL: it is not */
    char stored[160];   /* its name in the output folder, or "" */
};

void show_sent_text(const struct sent_part *parts, size_t count);
void show_sent_json(FILE *out, const struct config_instance *instance,
                    const struct sent_part *parts, size_t count);

#endif

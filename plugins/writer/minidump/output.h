/* SPDX-License-Identifier: Apache-2.0 */
/* Copies a captured minidump, changed on the way, to where it goes. In a step of the engine. */
#ifndef CAIRN_PLUGINS_WRITER_MINIDUMP_OUTPUT_H
#define CAIRN_PLUGINS_WRITER_MINIDUMP_OUTPUT_H

#include "plugins/writer/minidump/compress.h"
#include "plugins/writer/minidump/reduce.h"
#include "plugins/writer/minidump/sanitize.h"
#include "plugins/writer/minidump/shrink.h"

#include <cairn/plugin.h>

/* One file being copied: the source both as descriptor and as mapping. */
struct output {
    const struct cairn_host *host;
    const unsigned char *data;
    int from, to;
    const struct sanitizer *sanitizer; /* or NULL */
    struct compressor *compressor;     /* or NULL */
    const struct shrink *shrink;       /* or NULL */
    uint64_t room;                     /* for what is written */
    int too_large;                     /* it turned out not to suffice */
};

/* `bytes` of the source, or what `shrink` keeps of it, with zeros for the holes. 0, or -1 with
 * errno set. */
int output_copy(const struct output *output, uint64_t bytes, const struct holes *holes);

#endif

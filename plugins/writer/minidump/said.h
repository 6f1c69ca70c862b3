/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program said of itself, annotations, breadcrumbs, a message and memory that it
 * registered as an attribute's text, lies in the minidump, too. What an annotator has replaced in
 * the report must not be read there. Runs in a step of the engine; the dump is hostile.
 */
#ifndef CAIRN_PLUGINS_WRITER_MINIDUMP_SAID_H
#define CAIRN_PLUGINS_WRITER_MINIDUMP_SAID_H

#include "plugins/writer/minidump/reduce.h"

#include <cairn/plugin.h>

/* Adds holes for the originals of what was replaced; keeps them sorted. 0, or -1 without memory. */
int said_find(const struct cairn_host *host, const struct cairn_report *report,
              const unsigned char *dump, size_t bytes, struct holes *holes);

#endif

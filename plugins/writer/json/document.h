/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document that writer/json makes, and its parts that have files of their own. Runs in a step
 * of the engine.
 */
#ifndef CAIRN_PLUGINS_WRITER_JSON_DOCUMENT_H
#define CAIRN_PLUGINS_WRITER_JSON_DOCUMENT_H

#include "plugins/writer/json/emit.h"

#include <cairn/plugin.h>

#define DOCUMENT_MAX_ITEMS 65536 /* of one kind: a bound on every loop */

struct document {
    struct emit emit;
    const struct cairn_host *host;
    const struct cairn_report *report;
    int symbolicate; /* the server shall find the functions */
};

/* "threads", "mainThread", "arch" with the registers' types, and "modules". */
void document_threads(struct document *document, size_t most);
void document_modules(struct document *document);

#endif

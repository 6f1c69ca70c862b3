/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page that writer/text fills: a stream, and printing of texts that come from the crashed
 * process, so that none of them can fake a line or reach a terminal's escape codes.
 * Runs in a step of the engine.
 */
#ifndef CAIRN_PLUGINS_WRITER_TEXT_PAGE_H
#define CAIRN_PLUGINS_WRITER_TEXT_PAGE_H

#include <cairn/plugin.h>

#include <stdio.h>

struct page {
    FILE *stream;
    const struct cairn_host *host;
    const struct cairn_report *report;
};

/* Prints `text` with control characters and invalid UTF-8 as \xNN; NULL prints nothing. */
void page_text(const struct page *page, const char *text);

/* Prints a value as its type asks for. */
void page_value(const struct page *page, const struct cairn_value *value);

/* A text field of the report, or NULL. */
const char *page_get(const struct page *page, const char *path);

/* Prints "<label> <field>" as a line when the report has the field. */
void page_line(const struct page *page, const char *label, const char *path);

#endif

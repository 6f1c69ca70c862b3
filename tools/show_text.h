/* SPDX-License-Identifier: Apache-2.0 */
/* A report as text for a terminal, with where it lies and what became of its deliveries. */
#ifndef CAIRN_TOOLS_SHOW_TEXT_H
#define CAIRN_TOOLS_SHOW_TEXT_H

#include "core/report/spool.h"

void show_text(const struct report *report, const struct spool_entry *entry);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON Schema of configurations, printed from the same option tables that read them: editors
 * complete and check with it. Tools.
 */
#ifndef CAIRN_CORE_CONFIG_SCHEMA_H
#define CAIRN_CORE_CONFIG_SCHEMA_H

#include "core/util/buf.h"

#include <cairn/plugin.h>

struct config_schema_plugin {
    enum cairn_kind kind;
    const char *name, *summary;
    const struct cairn_option *options; /* ended by a NULL name, or NULL */
};

void config_schema(const struct config_schema_plugin *plugins, size_t count, struct buf *out);

#endif

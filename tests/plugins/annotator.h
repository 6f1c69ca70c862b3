/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame of the test annotators, most of which are wrong in one way. A file defines NAME and
 * what it does otherwise, includes this, and defines annotate() unless it is QUIET. Runs in a
 * step's process.
 */
#ifndef CAIRN_TESTS_PLUGINS_ANNOTATOR_H
#define CAIRN_TESTS_PLUGINS_ANNOTATOR_H

#include <cairn/plugin.h>

#ifndef MAGIC
#define MAGIC CAIRN_PLUGIN_MAGIC
#endif
#ifndef MAJOR
#define MAJOR CAIRN_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR CAIRN_ABI_MINOR
#endif
#ifndef KIND
#define KIND CAIRN_KIND_ANNOTATOR
#endif
#ifndef SIZE
#define SIZE sizeof(struct cairn_plugin)
#endif
#ifndef SUMMARY
#define SUMMARY "A test plugin."
#endif
#ifndef CAPABILITIES
#define CAPABILITIES 0
#endif
#ifndef OPTIONS
#define OPTIONS     NULL
#define CONFIG_SIZE 0
#endif
#ifndef CHECK
#define CHECK NULL
#endif
#ifndef CREATE
#define CREATE NULL
#endif
#ifndef DESTROY
#define DESTROY NULL
#endif
#ifndef ENTRY
#define ENTRY cairn_plugin_entry
#endif

#ifdef QUIET
static int annotate(void *context, struct cairn_annotator_args *args)
{
    (void)context;
    (void)args;
    return CAIRN_PLUGIN_OK;
}
#else
static int annotate(void *context, struct cairn_annotator_args *args);
#endif

static const struct cairn_annotator_ops ops = {
    .size = sizeof(ops),
    .check = CHECK,
    .create = CREATE,
    .destroy = DESTROY,
    .annotate = annotate,
};

extern CAIRN_EXPORT const struct cairn_plugin ENTRY;
const struct cairn_plugin ENTRY = {
    MAGIC,
    (uint32_t)SIZE,
    MAJOR,
    MINOR,
    KIND,
    .capabilities = CAPABILITIES,
    .name = NAME,
    .version = "1.0",
    .summary = SUMMARY,
    .options = OPTIONS,
    .option_size = sizeof(struct cairn_option),
    .config_size = CONFIG_SIZE,
    .ops = &ops,
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Crashes in destroy(), after its call was done. In a step's process. */
#define NAME "undone"
static void undo(void *context);
#define DESTROY undo
#include "tests/plugins/annotator.h"

static void undo(void *context)
{
    (void)context;
    __builtin_trap();
}

static int annotate(void *context, struct cairn_annotator_args *args)
{
    (void)context;
    args->host->set_string(args->host, "undone.before", "yes");
    return CAIRN_PLUGIN_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Returns an error and does not say why. In a step's process. */
#define NAME "mute"
#include "tests/plugins/annotator.h"

static int annotate(void *context, struct cairn_annotator_args *args)
{
    (void)context;
    (void)args;
    return CAIRN_PLUGIN_FAILED;
}

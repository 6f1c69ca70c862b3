/* SPDX-License-Identifier: Apache-2.0 */
/* Has nothing for this report. In a step's process. */
#define NAME "nothing"
#include "tests/plugins/annotator.h"

static int annotate(void *context, struct cairn_annotator_args *args)
{
    (void)context;
    (void)args;
    return CAIRN_PLUGIN_UNSUPPORTED;
}

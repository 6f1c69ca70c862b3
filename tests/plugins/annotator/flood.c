/* SPDX-License-Identifier: Apache-2.0 */
/* Goes on setting attributes although the host refuses them. In a step's process. */
#define NAME "flood"
#include <stdio.h>

#include "tests/plugins/annotator.h"

static int annotate(void *context, struct cairn_annotator_args *args)
{
    static char text[4096];
    char name[32];

    (void)context;
    snprintf(text, sizeof(text), "%4000d", 0);
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof(name), "flood.%d", i);
        args->host->set_string(args->host, name, text);
        args->host->note(args->host, "%s", text);
    }
    return CAIRN_PLUGIN_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Prints to standard output and error, more than anybody will read. In a step's process. */
#define NAME "print"
#include <stdio.h>

#include "tests/plugins/annotator.h"

static int annotate(void *context, struct cairn_annotator_args *args)
{
    (void)context;
    args->host->log(args->host, CAIRN_LOG_INFO, "a line for the log");
    for (int i = 0; i < 20000; i++) {
        printf("output %d\n", i);
        fprintf(stderr, "error %d\n", i);
    }
    return CAIRN_PLUGIN_OK;
}

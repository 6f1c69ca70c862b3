/* SPDX-License-Identifier: Apache-2.0 */
/* Ends its process with success in the middle of the call. In a step's process. */
#define NAME "quit"
#include <stdlib.h>

#include "tests/plugins/annotator.h"

static int annotate(void *context, struct cairn_annotator_args *args)
{
    (void)context;
    args->host->set_string(args->host, "quit.before", "yes");
    exit(0);
}

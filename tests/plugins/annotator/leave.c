/* SPDX-License-Identifier: Apache-2.0 */
/* Ends its process with an exit code. In a step's process. */
#define NAME "leave"
#include <unistd.h>

#include "tests/plugins/annotator.h"

static int annotate(void *context, struct cairn_annotator_args *args)
{
    (void)context;
    (void)args;
    _exit(3);
}

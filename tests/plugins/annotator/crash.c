/* SPDX-License-Identifier: Apache-2.0 */
/* Sets an attribute and a note, then follows a null pointer. In a step's process. */
#define NAME "crash"
#include "tests/plugins/annotator.h"

static int annotate(void *context, struct cairn_annotator_args *args)
{
    volatile int *nowhere = NULL;

    (void)context;
    args->host->set_string(args->host, "crash.before", "yes");
    args->host->note(args->host, "This note must not survive.");
    return *nowhere;
}

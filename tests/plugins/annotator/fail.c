/* SPDX-License-Identifier: Apache-2.0 */
/* Returns an error and says why. In a step's process. */
#define NAME "fail"
#include "tests/plugins/annotator.h"

static int annotate(void *context, struct cairn_annotator_args *args)
{
    (void)context;
    args->host->set_string(args->host, "fail.before", "yes");
    args->host->note(args->host, "What is missing is this.");
    return args->host->fail(args->host, "The file %s cannot be opened.", "/nowhere");
}

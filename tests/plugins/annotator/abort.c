/* SPDX-License-Identifier: Apache-2.0 */
/* Calls abort(). In a step's process. */
#define NAME "abort"
#include <stdlib.h>

#include "tests/plugins/annotator.h"

static int annotate(void *context, struct cairn_annotator_args *args)
{
    (void)context;
    (void)args;
    abort();
}

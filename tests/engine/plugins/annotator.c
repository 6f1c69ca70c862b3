/* SPDX-License-Identifier: Apache-2.0 */
/* An annotator that adds an attribute, or fails as it is told to. In a step's process. */
#include "fake.h"

static int annotate(void *context, struct cairn_annotator_args *args)
{
    const char *word = what(context);

    if (strcmp(word, "fail") == 0) {
        return args->host->fail(args->host, "It was told to fail.");
    }
    args->host->note(args->host, "The annotator was here.");
    return args->host->set_string(args->host, "fake", "yes");
}

static const struct cairn_annotator_ops ops = { .size = sizeof(ops),
                                                .create = create,
                                                .annotate = annotate };

FAKE_PLUGIN(CAIRN_KIND_ANNOTATOR, "fake");

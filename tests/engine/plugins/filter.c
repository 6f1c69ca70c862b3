/* SPDX-License-Identifier: Apache-2.0 */
/* A filter that drops when told to, and logs what it could see. In a step's process. */
#include "fake.h"

static int decide(void *context, struct cairn_filter_args *args)
{
    const struct config *config = context;
    struct cairn_value value;
    char line[128];

    snprintf(line, sizeof(line), "%s signature=%d attribute=%d", args->host->instance(args->host),
             args->host->get(args->host, args->report, "signature", &value),
             args->host->get(args->host, args->report, "attributes.fake", &value));
    write_log(config, line);
    if (strcmp(what(config), "drop") == 0) {
        args->action = CAIRN_DROP;
        snprintf(args->reason, sizeof(args->reason), "it was told to");
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_filter_ops ops = {
    .size = sizeof(ops), .flags = CAIRN_STAGE_CRASH, .create = create, .decide = decide
};

FAKE_PLUGIN(CAIRN_KIND_FILTER, "fake");

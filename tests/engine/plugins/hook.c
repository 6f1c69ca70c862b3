/* SPDX-License-Identifier: Apache-2.0 */
/* A hook that logs where the committed report lies and adds to it. In a step's process. */
#include "fake.h"

static int run(void *context, struct cairn_hook_args *args)
{
    const struct config *config = context;
    char path[4096];

    snprintf(path, sizeof(path), "%s/report.json", args->folder);
    write_log(config, access(path, R_OK) == 0 ? args->folder : "no report.json");
    if (strcmp(what(config), "fail") == 0) {
        return args->host->fail(args->host, "It was told to fail.");
    }
    return args->host->set_string(args->host, "hook", "yes");
}

static const struct cairn_hook_ops ops = { .size = sizeof(ops), .create = create, .run = run };

FAKE_PLUGIN(CAIRN_KIND_HOOK, "fake");

/* SPDX-License-Identifier: Apache-2.0 */
/* A hook that tells what it was given. In a step's process. */
#include <cairn/plugin.h>

static int run(void *context, struct cairn_hook_args *args)
{
    struct cairn_artifact artifact = { .size = sizeof(artifact) };
    const struct cairn_host *host = args->host;

    (void)context;
    host->set_string(host, "hook.folder", args->folder);
    if (host->artifact_at(host, args->report, 0, &artifact)) {
        host->set_string(host, "hook.artifact", artifact.path);
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_hook_ops ops = { .size = sizeof(ops), .run = run };

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_HOOK),
    .capabilities = CAIRN_CAP_PROCESSES,
    .name = "good",
    .version = "1.0",
    .summary = "Tells what it was given.",
    .ops = &ops,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* A transport that fails at its first attempts and then delivers. In a step's process. */
#include <cairn/plugin.h>

#include <stdio.h>

struct config {
    int64_t failures;
    int32_t reject;
};

static const struct cairn_option options[] = {
    { .name = "failures",
      .type = CAIRN_OPTION_INTEGER,
      .offset = offsetof(struct config, failures),
      .help = "How many attempts fail." },
    { .name = "reject",
      .type = CAIRN_OPTION_BOOL,
      .offset = offsetof(struct config, reject),
      .help = "Whether to refuse all." },
    { .name = NULL },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config;
    return CAIRN_PLUGIN_OK;
}

static int send_report(void *context, struct cairn_transport_args *args)
{
    const struct config *config = context;

    if (config->reject) {
        args->outcome = CAIRN_REJECTED;
        return CAIRN_PLUGIN_OK;
    }
    if (args->attempt <= config->failures) {
        args->response_code = 503;
        args->retry_after = 1500000;
        snprintf(args->error, sizeof(args->error), "The server is busy.");
        return CAIRN_PLUGIN_OK;
    }
    args->outcome = CAIRN_DELIVERED;
    args->response_code = 200;
    snprintf(args->server_id, sizeof(args->server_id), "attempt-%u", args->attempt);
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_transport_ops ops = { .size = sizeof(ops),
                                                .create = create,
                                                .send = send_report };

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_TRANSPORT),
    .capabilities = CAIRN_CAP_NETWORK,
    .name = "good",
    .version = "1.0",
    .summary = "Delivers in the end.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* A filter that drops what happened in a thread of a given name. In a step's process. */
#include <cairn/plugin.h>

#include <stdio.h>
#include <string.h>

struct config {
    const char *thread;
};

static const struct cairn_option options[] = {
    { .name = "thread",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_REQUIRED,
      .offset = offsetof(struct config, thread),
      .help = "The thread that does not count." },
    { .name = NULL },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config;
    return CAIRN_PLUGIN_OK;
}

static int decide(void *context, struct cairn_filter_args *args)
{
    const struct config *config = context;
    struct cairn_value thread;

    if (strcmp(config->thread, "nonsense") == 0) {
        args->action = 17;
    } else if (strcmp(config->thread, "newest") == 0) {
        snprintf(args->instead_of, sizeof(args->instead_of), "%s",
                 "0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b");
        args->defer = 5000000;
    } else if (strcmp(config->thread, "misnamed") == 0) {
        memset(args->instead_of, '/', sizeof(args->instead_of));
    } else if (args->host->get(args->host, args->report, "crash.thread", &thread) &&
               strcmp(thread.string, config->thread) == 0) {
        args->action = CAIRN_DROP;
        snprintf(args->reason, sizeof(args->reason), "thread %s does not count", thread.string);
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_filter_ops ops = {
    .size = sizeof(ops), .flags = CAIRN_STAGE_STACK, .create = create, .decide = decide
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_FILTER, "good");

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_FILTER),
    .name = "good",
    .version = "1.0",
    .summary = "Drops what one thread does.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * @NAME@: drops reports of certain applications.
 *
 *     filters:
 *       mine: { plugin: @NAME@, applications: ["test-*"] }
 *
 * Runs in a step of the engine, a process of its own, after the crash.
 */
#include <cairn/plugin.h>

#include <fnmatch.h>
#include <stdio.h>

/* The host fills this from the YAML by the table below, and keeps it until the step ends. */
struct config {
    struct cairn_list applications;
};

static const struct cairn_option options[] = {
    { .name = "applications",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_REQUIRED | CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, applications),
      .help = "Patterns of the applications whose reports are dropped, as in a shell." },
    { .name = NULL },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static int decide(void *context, struct cairn_filter_args *args)
{
    const struct config *config = context;
    const char *const *patterns = config->applications.items;
    struct cairn_value name;

    /* What cannot be judged is kept. */
    if (!args->host->get(args->host, args->report, "application.name", &name)) {
        return CAIRN_PLUGIN_UNSUPPORTED;
    }
    for (size_t i = 0; i < config->applications.count; i++) {
        if (fnmatch(patterns[i], name.string, 0) == 0) {
            args->action = CAIRN_DROP;
            snprintf(args->reason, sizeof(args->reason), "%.100s is \"%.100s\"", name.string,
                     patterns[i]);
            break;
        }
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_filter_ops ops = {
    .size = sizeof(ops),
    .flags = CAIRN_STAGE_CRASH, /* the earliest moment at which it can decide */
    .create = create,
    .decide = decide,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_FILTER, "@NAME@");

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_FILTER),
    .name = "@NAME@",
    .version = "0.1",
    .summary = "Drop reports of certain applications.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An example of a filter: keeps only what happened in threads of certain names.
 *
 *     filters:
 *       workers: { plugin: thread, names: ["worker-*", main] }
 *
 * Runs in a step of the engine, in a process of its own, after the crash.
 */
#include <cairn/plugin.h>

#include <fnmatch.h>
#include <stdio.h>

/* The host fills this from the YAML by the table below, and keeps it until the step ends. */
struct config {
    struct cairn_list names;
};

static const struct cairn_option options[] = {
    { .name = "names",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_REQUIRED | CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, names),
      .help = "Patterns of the thread names that are worth a report, as in a shell." },
    { .name = NULL },
};

/* What the table cannot say: here, that an empty list would drop everything. */
static int check(const struct cairn_host *host, const void *config)
{
    const struct config *options_given = config;

    return options_given->names.count > 0
               ? CAIRN_PLUGIN_OK
               : host->problem(host, "names", "an empty list would drop every report");
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static int decide(void *context, struct cairn_filter_args *args)
{
    const struct config *config = context;
    const char *const *names = config->names.items;
    struct cairn_value thread;

    /* Not every dump knows the name. What cannot be judged is kept. */
    if (!args->host->get(args->host, args->report, "crash.thread", &thread)) {
        return CAIRN_PLUGIN_UNSUPPORTED;
    }
    for (size_t i = 0; i < config->names.count; i++) {
        if (fnmatch(names[i], thread.string, 0) == 0) {
            return CAIRN_PLUGIN_OK;
        }
    }
    args->action = CAIRN_DROP;
    snprintf(args->reason, sizeof(args->reason), "the thread %s is not among those to report",
             thread.string);
    return CAIRN_PLUGIN_OK;
}

/* The thread is known from the start, so this filter need not wait for the stack. */
static const struct cairn_filter_ops ops = {
    .size = sizeof(ops),
    .flags = CAIRN_STAGE_CRASH,
    .check = check,
    .create = create,
    .decide = decide,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_FILTER, "thread");

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_FILTER),
    .name = "thread",
    .version = "1.0",
    .summary = "Keep only the crashes of certain threads.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

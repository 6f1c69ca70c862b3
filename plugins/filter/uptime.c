/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter/uptime: keeps reports of processes that lived at least, or at most, so long. A process
 * whose age cannot be known passes. Decides at stage crash. Runs in a step of the engine.
 */
#include "plugins/common/proc.h"

#include <stdio.h>

struct config {
    uint64_t min, max; /* microseconds; 0: not set */
};

static const struct cairn_option options[] = {
    { .name = "min",
      .type = CAIRN_OPTION_DURATION,
      .offset = offsetof(struct config, min),
      .help = "A process that lived for less is not reported: one that fails at its start, say." },
    { .name = "max",
      .type = CAIRN_OPTION_DURATION,
      .offset = offsetof(struct config, max),
      .help = "A process that lived for longer is not reported." },
    { .name = NULL },
};

static int check(const struct cairn_host *host, const void *options_)
{
    const struct config *config = options_;

    if (config->min == 0 && config->max == 0) {
        return host->problem(host, "min", "nothing to compare with: give min or max");
    }
    if (config->max != 0 && config->min > config->max) {
        return host->problem(host, "max", "no age is at least min and at most max");
    }
    return CAIRN_PLUGIN_OK;
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static void drop(struct cairn_filter_args *args, uint64_t age, const char *relation, uint64_t limit)
{
    args->action = CAIRN_DROP;
    snprintf(args->reason, sizeof(args->reason), "its process lived for %.3f s, %s than %.3f s",
             (double)age / 1e6, relation, (double)limit / 1e6);
}

static int decide(void *context, struct cairn_filter_args *args)
{
    const struct config *config = context;
    int64_t age;

    if (proc_age(args->host, args->report, &age) != 0) {
        return CAIRN_PLUGIN_UNSUPPORTED;
    }
    if ((uint64_t)age < config->min) {
        drop(args, (uint64_t)age, "less", config->min);
    } else if (config->max != 0 && (uint64_t)age > config->max) {
        drop(args, (uint64_t)age, "longer", config->max);
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_filter_ops ops = {
    .size = sizeof(ops),
    .flags = CAIRN_STAGE_CRASH,
    .check = check,
    .create = create,
    .decide = decide,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_FILTER),
    .name = "uptime",
    .version = "1.0.0",
    .summary = "Keeps reports of processes that lived at least, or at most, so long.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_FILTER, "uptime");

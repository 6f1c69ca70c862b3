/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin as a newer header might make it that still can live with today's host: all its
 * structures are longer than the host knows. In a step's process.
 */
#define cairn_plugin_entry cairn_plugin_entry_of_today
#include <cairn/plugin.h>
#undef cairn_plugin_entry

struct newer_option {
    struct cairn_option today;
    const char *unit;
    uint64_t more[4];
};

struct newer_ops {
    struct cairn_hook_ops today;
    void (*later)(void *context);
    uint64_t more[4];
};

struct newer_plugin {
    struct cairn_plugin today;
    const char *home_page;
    uint64_t more[4];
};

struct config {
    int32_t first, second;
};

static const struct newer_option options[] = {
    { .today = { .name = "first",
                 .type = CAIRN_OPTION_BOOL,
                 .offset = offsetof(struct config, first),
                 .help = "The first." },
      .unit = "none",
      .more = { 1, 2, 3, 4 } },
    { .today = { .name = "second",
                 .type = CAIRN_OPTION_BOOL,
                 .offset = offsetof(struct config, second),
                 .default_text = "true",
                 .help = "The second." },
      .unit = "none",
      .more = { 5, 6, 7, 8 } },
    { .today = { .name = NULL } },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config;
    return CAIRN_PLUGIN_OK;
}

static int run(void *context, struct cairn_hook_args *args)
{
    const struct config *config = context;

    args->host->set_bool(args->host, "newer.first", config->first);
    args->host->set_bool(args->host, "newer.second", config->second);
    return CAIRN_PLUGIN_OK;
}

static const struct newer_ops ops = {
    .today = { .size = sizeof(ops), .create = create, .run = run }, .more = { 1, 2, 3, 4 }
};

extern CAIRN_EXPORT const struct newer_plugin cairn_plugin_entry;
const struct newer_plugin cairn_plugin_entry = {
    .today = { CAIRN_PLUGIN_MAGIC, sizeof(struct newer_plugin), CAIRN_ABI_MAJOR, CAIRN_ABI_MINOR,
               CAIRN_KIND_HOOK, .name = "newer", .version = "2.0",
               .summary = "Is newer than its host.",
               .options = (const struct cairn_option *)options,
               .option_size = sizeof(struct newer_option), .config_size = sizeof(struct config),
               .ops = &ops },
    .home_page = "nowhere",
    .more = { 9, 9, 9, 9 },
};

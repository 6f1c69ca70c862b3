/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter/match: keeps, or drops, reports by glob patterns over executable, user, application and
 * attributes. Lists are alternatives; different options must all fit. Decides at stage crash unless
 * attributes are asked for. Runs in a step of the engine.
 */
#include <cairn/plugin.h>

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum action { ACTION_KEEP = 0, ACTION_DROP = 1 };

struct config {
    struct cairn_list exe, user, application; /* of const char * */
    struct cairn_map attributes;              /* to const char * */
    int32_t action;
};

static const char *const actions[] = { "keep", "drop", NULL };

static const struct cairn_option options[] = {
    { .name = "exe",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, exe),
      .help = "Patterns of the executable's path, such as \"/opt/shop/*\"; * also matches \"/\"." },
    { .name = "user",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, user),
      .help = "Patterns of the name of the user that the program ran as." },
    { .name = "application",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, application),
      .help = "Patterns of the application's name." },
    { .name = "attributes",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_MAP | CAIRN_OPTION_NEEDS_REPORT,
      .offset = offsetof(struct config, attributes),
      .help = "Attributes by name and the pattern that each must fit; an absent one fits none." },
    { .name = "action",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct config, action),
      .default_text = "keep",
      .choices = actions,
      .help = "keep: only reports that fit all of the above pass; drop: those that fit do not." },
    { .name = NULL },
};

static void check_patterns(const struct cairn_host *host, const char *option,
                           const struct cairn_list *list, int *status)
{
    const char *const *patterns = list->items;

    for (size_t i = 0; i < list->count; i++) {
        if (patterns[i][0] == '\0') {
            *status = host->problem(host, option, "an empty pattern matches nothing");
        }
    }
}

static int check(const struct cairn_host *host, const void *options_)
{
    const struct config *config = options_;
    int status = CAIRN_PLUGIN_OK;

    if (config->exe.count + config->user.count + config->application.count +
            config->attributes.count ==
        0) {
        return host->problem(host, "exe",
                             "nothing to match: give exe, user, application or attributes");
    }
    check_patterns(host, "exe", &config->exe, &status);
    check_patterns(host, "user", &config->user, &status);
    check_patterns(host, "application", &config->application, &status);
    return status;
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

/* The report's field as text, in `buffer` when it is no string; NULL when it is absent. */
static const char *field_text(const struct cairn_filter_args *args, const char *path,
                              char buffer[32])
{
    struct cairn_value value;

    if (!args->host->get(args->host, args->report, path, &value)) {
        return NULL;
    }
    switch (value.type) {
    case CAIRN_VALUE_STRING:
        return value.string;
    case CAIRN_VALUE_INTEGER:
        snprintf(buffer, 32, "%" PRId64, value.integer);
        return buffer;
    case CAIRN_VALUE_DOUBLE:
        snprintf(buffer, 32, "%.15g", value.number);
        return buffer;
    case CAIRN_VALUE_BOOL:
        return value.boolean ? "true" : "false";
    case CAIRN_VALUE_UINT64:
        snprintf(buffer, 32, "0x%" PRIx64, value.uint64);
        return buffer;
    default:
        return NULL;
    }
}

static int fits(const struct cairn_filter_args *args, const char *path,
                const struct cairn_list *list)
{
    const char *const *patterns = list->items;
    char buffer[32];
    const char *text;

    if (list->count == 0) {
        return 1;
    }
    text = field_text(args, path, buffer);
    for (size_t i = 0; text != NULL && i < list->count; i++) {
        if (fnmatch(patterns[i], text, 0) == 0) {
            return 1;
        }
    }
    return 0;
}

static int attributes_fit(const struct cairn_filter_args *args, const struct cairn_map *map,
                          const char **ret_name)
{
    const char *const *patterns = map->values;
    char path[160], buffer[32];
    const char *text;

    for (size_t i = 0; i < map->count; i++) {
        snprintf(path, sizeof(path), "attributes.%s", map->keys[i]);
        text = field_text(args, path, buffer);
        if (text == NULL || fnmatch(patterns[i], text, 0) != 0) {
            *ret_name = map->keys[i];
            return 0;
        }
    }
    return 1;
}

static int decide(void *context, struct cairn_filter_args *args)
{
    const struct config *config = context;
    const char *misfit = NULL;

    if (!fits(args, "process.executable", &config->exe)) {
        misfit = "executable";
    } else if (!fits(args, "process.user", &config->user)) {
        misfit = "user";
    } else if (!fits(args, "application.name", &config->application)) {
        misfit = "application";
    } else {
        attributes_fit(args, &config->attributes, &misfit);
    }
    if (misfit != NULL && config->action == ACTION_KEEP) {
        args->action = CAIRN_DROP;
        snprintf(args->reason, sizeof(args->reason), "its %s is not among those to keep", misfit);
    } else if (misfit == NULL && config->action == ACTION_DROP) {
        args->action = CAIRN_DROP;
        snprintf(args->reason, sizeof(args->reason), "it fits the patterns of reports to drop");
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
    .name = "match",
    .version = "1.0.0",
    .summary = "Keeps or drops reports by executable, user, application or attributes.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_FILTER, "match");

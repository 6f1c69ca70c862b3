/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotator/static: attributes that the configuration states: the team, the channel, the data
 * centre. Runs in a step of the engine.
 */
#include <cairn/plugin.h>

#include <string.h>

#define MAX_NAME  128
#define MAX_VALUE (64 * 1024)

struct config {
    struct cairn_map values; /* to const char * */
};

static const struct cairn_option options[] = {
    { .name = "values",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_REQUIRED | CAIRN_OPTION_MAP,
      .offset = offsetof(struct config, values),
      .help = "The attributes by name; names consist of letters, digits, \".\", \"_\" and \"-\"." },
    { .name = NULL },
};

static int check(const struct cairn_host *host, const void *options_)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._-";
    const struct config *config = options_;
    const char *const *values = config->values.values;
    int status = CAIRN_PLUGIN_OK;

    for (size_t i = 0; i < config->values.count; i++) {
        const char *name = config->values.keys[i];
        size_t length = strlen(name);

        if (length == 0 || length > MAX_NAME || strspn(name, allowed) != length) {
            status = host->problem(host, "values",
                                   "\"%.140s\" cannot name an attribute: 1 to %d characters of "
                                   "A-Z a-z 0-9 . _ - can",
                                   name, MAX_NAME);
        } else if (strlen(values[i]) > MAX_VALUE) {
            status = host->problem(host, "values", "the value of \"%s\" exceeds 64 KiB", name);
        }
    }
    return status;
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static int annotate(void *context, struct cairn_annotator_args *args)
{
    const struct config *config = context;
    const char *const *values = config->values.values;

    for (size_t i = 0; i < config->values.count; i++) {
        if (args->host->set_string(args->host, config->values.keys[i], values[i]) != 0) {
            return args->host->fail(args->host, "The attribute \"%s\" could not be set.",
                                    config->values.keys[i]);
        }
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_annotator_ops ops = {
    .size = sizeof(ops),
    .check = check,
    .create = create,
    .annotate = annotate,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_ANNOTATOR),
    .name = "static",
    .version = "1.0.0",
    .summary = "Adds attributes that the configuration states.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_ANNOTATOR, "static");

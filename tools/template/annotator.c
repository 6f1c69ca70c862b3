/* SPDX-License-Identifier: Apache-2.0 */
/*
 * @NAME@: adds the system's load to the report.
 *
 *     annotators:
 *       mine: { plugin: @NAME@, attribute: load }
 *
 * Runs in a step of the engine, a process of its own, after the crash.
 */
#include <cairn/plugin.h>

#include <stdlib.h>

/* The host fills this from the YAML by the table below, and keeps it until the step ends. */
struct config {
    const char *attribute;
};

static const struct cairn_option options[] = {
    { .name = "attribute",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, attribute),
      .default_text = "load",
      .help = "The attribute that receives the load." },
    { .name = NULL },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static int annotate(void *context, struct cairn_annotator_args *args)
{
    const struct config *config = context;
    const struct cairn_host *host = args->host;
    double load;

    if (getloadavg(&load, 1) != 1) {
        return host->fail(host, "The system does not tell its load.");
    }
    if (host->set_double(host, config->attribute, load) != CAIRN_PLUGIN_OK) {
        return host->fail(host, "\"%s\" is not the name of an attribute.", config->attribute);
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_annotator_ops ops = {
    .size = sizeof(ops),
    .create = create,
    .annotate = annotate,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_ANNOTATOR, "@NAME@");

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_ANNOTATOR),
    .name = "@NAME@",
    .version = "0.1",
    .summary = "Add the system's load.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

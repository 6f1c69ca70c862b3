/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An example of an annotator: adds the machine's name to the report.
 *
 *     annotators:
 *       host: { plugin: hostname, attribute: node }
 *
 * Runs in a step of the engine, in a process of its own, after the crash.
 */
#include <cairn/plugin.h>

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

struct config {
    const char *attribute;
};

static const struct cairn_option options[] = {
    { .name = "attribute",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, attribute),
      .default_text = "hostname",
      .help = "The attribute that receives the name." },
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
    struct utsname system;

    if (uname(&system) != 0) {
        return host->fail(host, "The system does not tell its name: %s.", strerror(errno));
    }
    if (host->set_string(host, config->attribute, system.nodename) != CAIRN_PLUGIN_OK) {
        return host->fail(host, "\"%s\" is not the name of an attribute.", config->attribute);
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_annotator_ops ops = {
    .size = sizeof(ops),
    .create = create,
    .annotate = annotate,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_ANNOTATOR, "hostname");

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_ANNOTATOR),
    .capabilities = CAIRN_CAP_PERSONAL_DATA, /* machines are named after people */
    .name = "hostname",
    .version = "1.0",
    .summary = "Add the machine's name.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

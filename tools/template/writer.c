/* SPDX-License-Identifier: Apache-2.0 */
/*
 * @NAME@: writes fields of the report, one a line.
 *
 *     writers:
 *       mine: { plugin: @NAME@, fields: [crash.signal, signature] }
 *
 * Runs in a step of the engine, a process of its own, after all annotators.
 */
#include <cairn/plugin.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The host fills this from the YAML by the table below, and keeps it until the step ends. */
struct config {
    struct cairn_list fields;
};

static const struct cairn_option options[] = {
    { .name = "fields",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_REQUIRED | CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, fields),
      .help = "What is written, by its path in report.json." },
    { .name = NULL },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static int write_fields(void *context, struct cairn_writer_args *args)
{
    const struct config *config = context;
    const char *const *fields = config->fields.items;

    for (size_t i = 0; i < config->fields.count; i++) {
        struct cairn_value value;

        if (args->host->get(args->host, args->report, fields[i], &value) &&
            value.type == CAIRN_VALUE_STRING &&
            dprintf(args->fd, "%s: %s\n", fields[i], value.string) < 0) {
            return args->host->fail(args->host, "The fields cannot be written: %s.",
                                    strerror(errno));
        }
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_writer_ops ops = {
    .size = sizeof(ops),
    .create = create,
    .write = write_fields,
    .extension = "txt", /* the host names the file "<instance>.txt" */
    .media_type = "text/plain",
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_WRITER, "@NAME@");

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_WRITER),
    .name = "@NAME@",
    .version = "0.1",
    .summary = "Write fields of the report.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* A writer of as many lines as its option says. In a step's process. */
#include <cairn/plugin.h>

#include <stdio.h>

struct config {
    int64_t lines;
};

static const struct cairn_option options[] = {
    { .name = "lines",
      .type = CAIRN_OPTION_INTEGER,
      .offset = offsetof(struct config, lines),
      .default_text = "3",
      .min = 1,
      .max = 1000000,
      .help = "How many." },
    { .name = NULL },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config;
    return CAIRN_PLUGIN_OK;
}

static int write_lines(void *context, struct cairn_writer_args *args)
{
    const struct config *config = context;

    for (int64_t i = 0; i < config->lines; i++) {
        if (dprintf(args->fd, "line %lld\n", (long long)i) < 0) {
            return args->host->fail(args->host, "The file cannot be written.");
        }
    }
    return args->host->set_string(args->host, "writers", "cannot") == CAIRN_PLUGIN_FAILED
               ? CAIRN_PLUGIN_OK
               : CAIRN_PLUGIN_FAILED;
}

static const struct cairn_writer_ops ops = { .size = sizeof(ops),
                                             .create = create,
                                             .write = write_lines,
                                             .extension = "txt",
                                             .media_type = "text/plain" };

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_WRITER),
    .name = "good",
    .version = "1.0",
    .summary = "Writes lines.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

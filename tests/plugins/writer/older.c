/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin as an older header might have made it: shorter operations and options than today's,
 * which lack the media type, and all of an option after its offset. In a step's process.
 */
#include <cairn/plugin.h>

#include <string.h>
#include <unistd.h>

struct older_option {
    const char *name;
    uint32_t type, flags, offset, reserved;
};

struct older_ops {
    CAIRN_OPS_HEAD;
    int (*write)(void *context, struct cairn_writer_args *args);
    const char *extension;
};

struct config {
    const char *text;
    uint64_t size;
};

static const struct older_option options[] = {
    { "text", CAIRN_OPTION_STRING, CAIRN_OPTION_REQUIRED, offsetof(struct config, text), 0 },
    { "size", CAIRN_OPTION_SIZE, 0, offsetof(struct config, size), 0 },
    { NULL, 0, 0, 0, 0 },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config;
    return CAIRN_PLUGIN_OK;
}

static int write_text(void *context, struct cairn_writer_args *args)
{
    const struct config *config = context;

    return write(args->fd, config->text, strlen(config->text)) > 0 ? CAIRN_PLUGIN_OK
                                                                   : CAIRN_PLUGIN_FAILED;
}

static const struct older_ops ops = {
    .size = sizeof(ops), .create = create, .write = write_text, .extension = "tar.gz"
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_WRITER),
    .name = "older",
    .version = "0.9",
    .summary = "Is older than its host.",
    .options = (const struct cairn_option *)options,
    .option_size = sizeof(struct older_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

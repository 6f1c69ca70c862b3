/* SPDX-License-Identifier: Apache-2.0 */
/*
 * @NAME@: adds a line to a log for every report.
 *
 *     hooks:
 *       mine: { plugin: @NAME@, file: /var/log/crashes.log }
 *
 * Runs in a step of the engine, a process of its own, after the report is committed; at most once
 * per report. A hook that starts programs or uses the network declares it in its capabilities.
 */
#include <cairn/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The host fills this from the YAML by the table below, and keeps it until the step ends. */
struct config {
    const char *file;
};

static const struct cairn_option options[] = {
    { .name = "file",
      .type = CAIRN_OPTION_PATH,
      .flags = CAIRN_OPTION_REQUIRED,
      .offset = offsetof(struct config, file),
      .help = "The log." },
    { .name = NULL },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static int run(void *context, struct cairn_hook_args *args)
{
    const struct config *config = context;
    const struct cairn_host *host = args->host;
    int fd = open(config->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int written = fd >= 0 ? dprintf(fd, "%s\n", args->folder) : -1;

    if (written < 0) {
        host->fail(host, "%s cannot be written: %s.", config->file, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    return written < 0 ? CAIRN_PLUGIN_FAILED : host->set_string(host, "log", config->file);
}

static const struct cairn_hook_ops ops = {
    .size = sizeof(ops),
    .create = create,
    .run = run,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_HOOK, "@NAME@");

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_HOOK),
    .name = "@NAME@",
    .version = "0.1",
    .summary = "Add a line to a log.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

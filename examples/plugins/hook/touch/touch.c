/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An example of a hook: sets the time of a file, which a path unit of systemd or a script can
 * watch, and makes the file if need be.
 *
 *     hooks:
 *       signal: { plugin: touch, path: /run/shop/crashed }
 *
 * Runs in a step of the engine, in a process of its own, after the report was committed.
 */
#include <cairn/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct config {
    const char *path;
};

static const struct cairn_option options[] = {
    { .name = "path",
      .type = CAIRN_OPTION_PATH,
      .flags = CAIRN_OPTION_REQUIRED,
      .offset = offsetof(struct config, path),
      .help = "The file whose time is set to now; made if absent." },
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
    int fd = open(config->path, O_WRONLY | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0644);

    if (fd < 0) {
        return host->fail(host, "The file %s cannot be opened: %s.", config->path, strerror(errno));
    }
    if (futimens(fd, NULL) != 0) {
        host->fail(host, "The time of %s cannot be set: %s.", config->path, strerror(errno));
        close(fd);
        return CAIRN_PLUGIN_FAILED;
    }
    close(fd);
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_hook_ops ops = {
    .size = sizeof(ops),
    .create = create,
    .run = run,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_HOOK, "touch");

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_HOOK),
    .name = "touch",
    .version = "1.0",
    .summary = "Set the time of a file.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

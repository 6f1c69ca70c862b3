/* SPDX-License-Identifier: Apache-2.0 */
/*
 * @NAME@: delivers the id and the signature of every report into one file.
 *
 *     transports:
 *       mine: { plugin: @NAME@, file: /mnt/share/crashes.csv }
 *
 * Runs in a step of the sender, a process of its own, once per attempt. A transport that uses the
 * network declares it: `.capabilities = CAIRN_CAP_NETWORK`.
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
      .help = "The file that gets a line per report." },
    { .name = NULL },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static const char *text_of(const struct cairn_transport_args *args, const char *path)
{
    struct cairn_value value;

    return args->host->get(args->host, args->report, path, &value) &&
                   value.type == CAIRN_VALUE_STRING
               ? value.string
               : "";
}

/* The outcome is CAIRN_RETRY at first: what goes wrong is tried again later. */
static int send_line(void *context, struct cairn_transport_args *args)
{
    const struct config *config = context;
    int fd = open(config->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd >= 0 && dprintf(fd, "%s,%s\n", text_of(args, "id"), text_of(args, "signature")) > 0) {
        args->outcome = CAIRN_DELIVERED;
    } else {
        snprintf(args->error, sizeof(args->error), "%.300s cannot be written: %s.", config->file,
                 strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_transport_ops ops = {
    .size = sizeof(ops),
    .create = create,
    .send = send_line,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_TRANSPORT, "@NAME@");

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_TRANSPORT),
    .name = "@NAME@",
    .version = "0.1",
    .summary = "Deliver a line into a file.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

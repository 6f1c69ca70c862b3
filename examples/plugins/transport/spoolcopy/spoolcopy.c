/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An example of a transport: copies the minidump into a folder, a mounted share say, as <id>.dmp.
 * What can be tried again (no room, the share is away) is told apart from what never will work.
 *
 *     transports:
 *       share: { plugin: spoolcopy, path: /mnt/crashes }
 *
 * Runs in a step of the sender, in a process of its own, once per attempt.
 */
#include <cairn/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
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
      .help = "The folder that receives the minidumps; made if its parent is there." },
    { .name = NULL },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

/* The report's minidump; 0 when it has none. */
static int find_minidump(const struct cairn_transport_args *args, struct cairn_artifact *artifact)
{
    artifact->size = sizeof(*artifact);
    for (size_t i = 0; args->host->artifact_at(args->host, args->report, i, artifact); i++) {
        if (artifact->is_minidump) {
            return 1;
        }
    }
    return 0;
}

/* The outcome stays CAIRN_RETRY, as it was at first: the sender tries again later. */
static int retry(struct cairn_transport_args *args, const char *what, const char *path)
{
    snprintf(args->error, sizeof(args->error), "%s %s: %s.", what, path, strerror(errno));
    return CAIRN_PLUGIN_OK;
}

/* 0, or -1 with errno; ETIMEDOUT when the step's time is over. */
static int copy(const struct cairn_host *host, int from, int to)
{
    char bytes[65536];
    ssize_t got;

    while ((got = read(from, bytes, sizeof(bytes))) > 0) {
        for (ssize_t done = 0; done < got;) {
            ssize_t written = write(to, bytes + done, (size_t)(got - done));
            if (written < 0) {
                return -1;
            }
            done += written;
        }
        if (host->time_left(host) == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
    return got < 0 || fsync(to) != 0 ? -1 : 0;
}

/* Complete or absent: under a temporary name first. An attempt that was cut off leaves that name
 * behind, and the next one overwrites it. */
static int deliver(struct cairn_transport_args *args, int from, const char *temporary,
                   const char *path)
{
    int to = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (to < 0) {
        return retry(args, "Cannot create", temporary);
    }
    if (copy(args->host, from, to) != 0 || rename(temporary, path) != 0) {
        retry(args, "Cannot write", path);
        unlink(temporary);
    } else {
        args->outcome = CAIRN_DELIVERED;
        snprintf(args->server_id, sizeof(args->server_id), "%.*s", (int)sizeof(args->server_id) - 1,
                 path);
    }
    close(to);
    return CAIRN_PLUGIN_OK;
}

/* Somebody wants to see what would be copied, and where to: `cairn show --as-sent share`. */
static int show(struct cairn_transport_args *args, const struct cairn_preview_service *preview,
                const struct cairn_artifact *minidump, const char *path)
{
    struct cairn_preview_part target = { .size = sizeof(target),
                                         .kind = CAIRN_PREVIEW_TARGET,
                                         .name = "copy",
                                         .data = path,
                                         .bytes = strlen(path) };
    struct cairn_preview_part file = { .size = sizeof(file),
                                       .kind = CAIRN_PREVIEW_FILE,
                                       .name = minidump->name,
                                       .path = minidump->path,
                                       .media_type = minidump->media_type };

    if (preview->part(args->host, &target) != 0 || preview->part(args->host, &file) != 0) {
        return args->host->fail(args->host, "The copy of %s cannot be shown.", minidump->name);
    }
    args->outcome = CAIRN_DELIVERED;
    return CAIRN_PLUGIN_OK;
}

static int send_report(void *context, struct cairn_transport_args *args)
{
    const struct config *config = context;
    struct cairn_artifact minidump;
    const struct cairn_preview_service *preview =
        args->host->service(args->host, CAIRN_SERVICE_PREVIEW);
    struct cairn_value id;
    char path[PATH_MAX], temporary[PATH_MAX];

    if (!find_minidump(args, &minidump) || !args->host->get(args->host, args->report, "id", &id)) {
        args->outcome = CAIRN_REJECTED;
        snprintf(args->error, sizeof(args->error), "The report has no minidump to copy.");
        return CAIRN_PLUGIN_OK;
    }
    if (snprintf(path, sizeof(path), "%s/%s.dmp", config->path, id.string) >= (int)sizeof(path) ||
        snprintf(temporary, sizeof(temporary), "%s/.%s.tmp", config->path, id.string) >=
            (int)sizeof(temporary)) {
        return args->host->fail(args->host, "The path %s is too long.", config->path);
    }
    if (preview != NULL) {
        return show(args, preview, &minidump, path);
    }
    if (mkdir(config->path, 0700) != 0 && errno != EEXIST) {
        return retry(args, "Cannot make the folder", config->path);
    }
    int from = open(minidump.path, O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        return retry(args, "Cannot open", minidump.path);
    }
    int result = deliver(args, from, temporary, path);
    close(from);
    return result;
}

static const struct cairn_transport_ops ops = {
    .size = sizeof(ops),
    .create = create,
    .send = send_report,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_TRANSPORT, "spoolcopy");

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_TRANSPORT),
    .capabilities = CAIRN_CAP_PREVIEW,
    .name = "spoolcopy",
    .version = "1.0",
    .summary = "Copy the minidump into a folder.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport/directory: copies a report into a folder, a mounted share for instance. It appears
 * there under its id, complete or not at all, and a repetition finds it delivered. Runs in a step
 * of the sender.
 */
#include "plugins/common/fd.h"

#include <cairn/plugin.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE         (8u << 20) /* bytes between two looks at the clock */
#define MAX_ARTIFACTS 256

struct config {
    const char *path;
    int32_t group_readable;
};

static const struct cairn_option options[] = {
    { .name = "path",
      .type = CAIRN_OPTION_PATH,
      .flags = CAIRN_OPTION_REQUIRED,
      .offset = offsetof(struct config, path),
      .help =
          "The folder that receives reports, each as a folder named by its id; made if absent." },
    { .name = "group_readable",
      .type = CAIRN_OPTION_BOOL,
      .offset = offsetof(struct config, group_readable),
      .default_text = "false",
      .help = "Let the group read the copies: modes 0750 and 0640 instead of 0700 and 0600." },
    { .name = NULL },
};

/* One delivery: where from, where to, under which temporary name. */
struct delivery {
    const struct config *config;
    struct cairn_transport_args *args;
    const struct cairn_preview_service *preview; /* not NULL: copy nothing, show what would be */
    int root, from, to;
    char id[64], temporary[80];
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static int complain(const struct delivery *delivery, const char *format, ...) CAIRN_PRINTF(2, 3);
static int complain(const struct delivery *delivery, const char *format, ...)
{
    struct cairn_transport_args *args = delivery->args;
    int number = errno, length;
    va_list arguments;

    va_start(arguments, format);
    length = vsnprintf(args->error, sizeof(args->error), format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < sizeof(args->error)) {
        snprintf(args->error + length, sizeof(args->error) - (size_t)length, ": %s.",
                 strerror(number));
    }
    return -1;
}

static void close_if_open(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

/* Makes the folder and its parents; what exists stays as it is. */
static int make_root(struct delivery *delivery)
{
    mode_t mode = delivery->config->group_readable ? 0750 : 0700;
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s", delivery->config->path) >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return complain(delivery, "The folder cannot be made");
    }
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, mode) != 0 && errno != EEXIST) {
            return complain(delivery, "The folder %s cannot be made", path);
        }
        *slash = '/';
    }
    if (mkdir(path, mode) != 0 && errno != EEXIST) {
        return complain(delivery, "The folder %s cannot be made", path);
    }
    delivery->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return delivery->root >= 0 ? 0 : complain(delivery, "The folder %s cannot be opened", path);
}

/* What an interrupted attempt left behind: files only, this plugin makes nothing else. */
static void remove_temporary(const struct delivery *delivery)
{
    int fd = openat(delivery->root, delivery->temporary,
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            unlinkat(dirfd(folder), entry->d_name, 0);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    } else if (fd >= 0) {
        close(fd);
    }
    unlinkat(delivery->root, delivery->temporary, AT_REMOVEDIR);
}

/* By read and write where the file systems cannot copy by themselves. */
static ssize_t copy_piece(int from, int to)
{
    char buffer[65536];
    ssize_t count = copy_file_range(from, NULL, to, NULL, PIECE, 0);

    if (count >= 0) {
        return count;
    }
    count = read(from, buffer, sizeof(buffer));
    return count > 0 && fd_write(to, buffer, (size_t)count) != 0 ? -1 : count;
}

static int copy_content(const struct delivery *delivery, int from, int to, const char *name)
{
    const struct cairn_host *host = delivery->args->host;
    ssize_t count;

    do {
        if (host->time_left(host) == 0) {
            errno = ETIMEDOUT;
            return complain(delivery, "The copy of %s is not done", name);
        }
        count = copy_piece(from, to);
    } while (count > 0 || (count < 0 && errno == EINTR));
    if (count < 0 || fsync(to) != 0) {
        return complain(delivery, "The copy of %s cannot be written", name);
    }
    return 0;
}

static int show_file(const struct delivery *delivery, const char *name)
{
    const struct cairn_host *host = delivery->args->host;
    struct cairn_preview_part part = {
        .size = sizeof(part), .kind = CAIRN_PREVIEW_FILE, .name = name, .filename = name
    };
    char path[PATH_MAX];

    errno = ENAMETOOLONG;
    part.path = path;
    return snprintf(path, sizeof(path), "%s/%s", delivery->args->folder, name) <
                       (int)sizeof(path) &&
                   delivery->preview->part(host, &part) == CAIRN_PLUGIN_OK
               ? 0
               : complain(delivery, "The file %s cannot be shown", name);
}

static int copy_file(const struct delivery *delivery, const char *name)
{
    mode_t mode = delivery->config->group_readable ? 0640 : 0600;
    struct stat status;
    int from, to, result;

    if (delivery->preview != NULL) {
        return show_file(delivery, name);
    }
    from = openat(delivery->from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (from < 0 || fstat(from, &status) != 0 || !S_ISREG(status.st_mode)) {
        if (from >= 0) {
            close(from);
            errno = EINVAL;
        }
        return complain(delivery, "The report's file %s cannot be read", name);
    }
    to = openat(delivery->to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (to < 0) {
        close(from);
        return complain(delivery, "The copy of %s cannot be made", name);
    }
    fchmod(to, mode); /* whatever the umask is */
    result = copy_content(delivery, from, to, name);
    close(from);
    close(to);
    return result;
}

static int copy_all(const struct delivery *delivery)
{
    struct cairn_transport_args *args = delivery->args;
    struct cairn_artifact artifact = { .size = sizeof(artifact) };

    if (copy_file(delivery, "report.json") != 0) {
        return -1;
    }
    for (size_t i = 0;
         i < MAX_ARTIFACTS && args->host->artifact_at(args->host, args->report, i, &artifact);
         i++) {
        if (artifact.name == NULL || artifact.name[0] == '\0' || artifact.name[0] == '.' ||
            strchr(artifact.name, '/') != NULL) {
            errno = EINVAL;
            return complain(delivery, "An artifact's name is not one of a plain file");
        }
        if (copy_file(delivery, artifact.name) != 0) {
            return -1;
        }
        artifact = (struct cairn_artifact){ .size = sizeof(artifact) };
    }
    return 0;
}

/* Fills the temporary folder and gives it its name: the delivery. */
static int fill(struct delivery *delivery)
{
    mode_t mode = delivery->config->group_readable ? 0750 : 0700;

    remove_temporary(delivery);
    if (mkdirat(delivery->root, delivery->temporary, mode) != 0) {
        return complain(delivery, "A folder in %s cannot be made", delivery->config->path);
    }
    delivery->to = openat(delivery->root, delivery->temporary,
                          O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (delivery->to < 0) {
        return complain(delivery, "A folder in %s cannot be opened", delivery->config->path);
    }
    fchmod(delivery->to, mode);
    if (copy_all(delivery) != 0) {
        return -1;
    }
    if (fsync(delivery->to) != 0 ||
        renameat(delivery->root, delivery->temporary, delivery->root, delivery->id) != 0) {
        return complain(delivery, "The copy cannot get its name in %s", delivery->config->path);
    }
    return 0;
}

static int deliver(struct delivery *delivery)
{
    struct stat status;
    int result = 0;

    delivery->from = open(delivery->args->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (delivery->from < 0) {
        return complain(delivery, "The report's folder cannot be opened");
    }
    if (make_root(delivery) != 0) {
        return -1;
    }
    if (fstatat(delivery->root, delivery->id, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        result = fill(delivery);
        if (result != 0) {
            remove_temporary(delivery);
        }
    }
    if (result == 0 && fsync(delivery->root) != 0) {
        result = complain(delivery, "The folder %s cannot be synced", delivery->config->path);
    }
    return result;
}

/* What deliver() would do, without doing it. */
static int show(const struct delivery *delivery)
{
    const struct cairn_host *host = delivery->args->host;
    struct cairn_preview_part part = { .size = sizeof(part),
                                       .kind = CAIRN_PREVIEW_TARGET,
                                       .name = "copy" };
    char path[PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s/%s", delivery->config->path, delivery->id);

    part.data = path;
    part.bytes = (size_t)length;
    if (length >= (int)sizeof(path) || delivery->preview->part(host, &part) != CAIRN_PLUGIN_OK) {
        errno = ENAMETOOLONG;
        return complain(delivery, "The folder cannot be shown");
    }
    return copy_all(delivery);
}

/* The report's id names its copy: nothing but an id's characters may come into a path. */
static int read_id(struct delivery *delivery)
{
    const struct cairn_transport_args *args = delivery->args;
    struct cairn_value id;
    size_t length;

    if (!args->host->get(args->host, args->report, "id", &id) || id.type != CAIRN_VALUE_STRING) {
        return -1;
    }
    length = strlen(id.string);
    if (length == 0 || length >= sizeof(delivery->id) ||
        strspn(id.string, "0123456789abcdefABCDEF-") != length) {
        return -1;
    }
    snprintf(delivery->id, sizeof(delivery->id), "%s", id.string);
    snprintf(delivery->temporary, sizeof(delivery->temporary), ".%s.tmp", id.string);
    return 0;
}

static int send_report(void *context, struct cairn_transport_args *args)
{
    struct delivery delivery = {
        .config = context, .args = args, .root = -1, .from = -1, .to = -1
    };

    if (read_id(&delivery) != 0) {
        return args->host->fail(args->host, "The report has no id that could name its copy.");
    }
    if (CAIRN_HOST_HAS(args->host, service)) {
        delivery.preview = args->host->service(args->host, CAIRN_SERVICE_PREVIEW);
    }
    args->outcome = CAIRN_RETRY; /* a full or absent disk may come back */
    if ((delivery.preview != NULL ? show(&delivery) : deliver(&delivery)) == 0) {
        args->outcome = CAIRN_DELIVERED;
        snprintf(args->server_id, sizeof(args->server_id), "%s", delivery.id);
    }
    close_if_open(delivery.root);
    close_if_open(delivery.from);
    close_if_open(delivery.to);
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_transport_ops ops = {
    .size = sizeof(ops),
    .create = create,
    .send = send_report,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_TRANSPORT),
    .capabilities = CAIRN_CAP_PREVIEW,
    .name = "directory",
    .version = "1.0.0",
    .summary = "Copies reports into a folder.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_TRANSPORT, "directory");

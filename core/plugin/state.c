/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service "cairn.state/1": an instance's own small file in the application's folder of the
 * spool. Whoever can write there could write the reports too; nevertheless no link is followed and
 * nothing but a regular file of the current user is handed out. In a step's process.
 */
#include "core/plugin/host.h"
#include "core/util/fs.h"
#include "core/util/time.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_FOLDER "state"

/* Another crash's step may hold the file; it does so for some milliseconds. */
#define LOCK_WAIT_US  2000000u
#define LOCK_PAUSE_US 5000u

/* The report's folder is <application folder>/<state of the report>/<id>. */
static int application_path(const char *folder, char path[PATH_MAX], struct error *error)
{
    int parts = 0;

    if (folder == NULL || folder[0] != '/' || strlen(folder) >= PATH_MAX) {
        return error_set(error, CAIRN_ENOENT, "There is no folder to keep a state file in.");
    }
    memcpy(path, folder, strlen(folder) + 1);
    for (size_t i = strlen(path); i > 0 && parts < 2; i--) {
        if (path[i] == '/') {
            path[i] = '\0';
            parts++;
        }
    }
    return parts == 2 ? 0
                      : error_set(error, CAIRN_EINVAL, "%s is not the folder of a report.", folder);
}

static int open_state_folder(const struct host *host, struct error *error)
{
    char path[PATH_MAX];
    int application, folder = application_path(host->request->folder, path, error);

    if (folder < 0) {
        return folder;
    }
    application = fs_open_directory(AT_FDCWD, path, error);
    if (application < 0) {
        return application;
    }
    folder = fs_is_trusted(application, NULL, error)
                 ? fs_make_directory(application, STATE_FOLDER, error)
                 : CAIRN_EPERM;
    close(application);
    if (folder >= 0 && !fs_is_trusted(folder, NULL, error)) {
        close(folder);
        folder = CAIRN_EPERM;
    }
    return folder;
}

static int lock(const struct host *host, int fd, const char *name, struct error *error)
{
    uint64_t until = time_monotonic_us() + LOCK_WAIT_US;

    until = until < host->deadline_us ? until : host->deadline_us;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return error_errno(error, CAIRN_ESYSTEM, errno, "The state file %s cannot be locked",
                               name);
        }
        if (time_monotonic_us() + LOCK_PAUSE_US >= until) {
            return error_set(error, CAIRN_EBUSY, "The state file %s is in use by another step.",
                             name);
        }
        usleep(LOCK_PAUSE_US);
    }
    return 0;
}

/* Judged after the lock is held: the size is what the last step left. */
static int examine(const struct host *host, int fd, const char *name, struct error *error)
{
    struct stat status;

    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1 ||
        status.st_uid != geteuid()) {
        return error_set(error, CAIRN_EPERM,
                         "The state file %s is not a regular file of its own and of this user.",
                         name);
    }
    if (status.st_size > (off_t)CAIRN_STATE_MAX_BYTES) {
        host->table.log(&host->table, CAIRN_LOG_WARNING,
                        "The state file %s had grown to %lld bytes and was emptied.", name,
                        (long long)status.st_size);
        if (ftruncate(fd, 0) != 0) {
            return error_errno(error, CAIRN_ESYSTEM, errno, "The state file %s cannot be emptied",
                               name);
        }
    }
    return 0;
}

static int open_file(const struct host *host, struct error *error)
{
    const struct config_instance *instance = host->request->instance;
    char name[NAME_MAX + 1];
    int folder = open_state_folder(host, error), fd, result;

    if (folder < 0) {
        return folder;
    }
    snprintf(name, sizeof(name), "%s-%s", config_kind(instance->kind), instance->id);
    fd = openat(folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                0600);
    result = fd < 0 ? error_errno(error, CAIRN_ESYSTEM, errno, "The state file %s cannot be opened",
                                  name)
                    : lock(host, fd, name, error);
    close(folder);
    if (result == 0) {
        result = examine(host, fd, name, error);
    }
    if (result != 0 && fd >= 0) {
        close(fd);
    }
    return result != 0 ? result : fd;
}

static int open_state(const struct cairn_host *table)
{
    const struct host *host = table->private_data;
    struct error error = { 0, "" };
    int fd = open_file(host, &error);

    if (fd < 0) {
        table->note(table, "%s", error.text);
        return -1;
    }
    return fd;
}

const struct cairn_state_service *host_state_service(void)
{
    static const struct cairn_state_service service = { .size = sizeof(service),
                                                        .open = open_state };

    return &service;
}

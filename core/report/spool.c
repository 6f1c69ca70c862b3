/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One application's part of the spool: making it, and taking a report from state to state.
 * Everything goes through directory descriptors and never follows a link. Engine, sender, tools.
 */
#include "core/report/spool_inner.h"

#include "core/util/fs.h"
#include "core/util/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define WHY_FILE "set-aside.txt"

const char *spool_state_name(enum spool_state state)
{
    static const char *const names[SPOOL_STATES] = { "incoming", "pending", "delivered",
                                                     "quarantine" };

    return state >= SPOOL_INCOMING && state < SPOOL_STATES ? names[state] : "unknown";
}

int spool_open_state(int application_fd, enum spool_state state, struct error *error)
{
    return fs_open_directory(application_fd, spool_state_name(state), error);
}

/* Reports hold memory of a process: a folder that another user made or can write will not do. */
static int check_folder(int fd, const char *name, bool mine, struct error *error)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "The folder %s cannot be examined", name);
    }
    if (status.st_uid != geteuid() && (mine || status.st_uid != 0)) {
        return error_set(error, CAIRN_EPERM,
                         "The folder %s belongs to user %u, but must belong to user %u.", name,
                         (unsigned)status.st_uid, (unsigned)geteuid());
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (mine || !(status.st_mode & S_ISVTX))) {
        return error_set(error, CAIRN_EPERM,
                         "The folder %s can be changed by others (mode %04o); remove the write "
                         "permission with chmod go-w.",
                         name, (unsigned)(status.st_mode & 07777));
    }
    return 0;
}

static int make_states(int application_fd, struct error *error)
{
    for (int state = SPOOL_INCOMING; state < SPOOL_STATES; state++) {
        const char *name = spool_state_name((enum spool_state)state);
        int fd = fs_make_directory(application_fd, name, error);
        int result = fd < 0 ? fd : check_folder(fd, name, true, error);

        if (fd >= 0) {
            close(fd);
        }
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

/* The application's folder below the open spool; takes the spool's descriptor over. */
static int open_application(int spool_fd, const char *application, struct error *error)
{
    char *name = text_escape_name(application);
    int fd, result;

    if (name == NULL) {
        close(spool_fd);
        return error_set(error, CAIRN_ENOMEM, "There is not enough memory to open the spool.");
    }
    fd = fs_make_directory(spool_fd, name, error);
    close(spool_fd);
    result = fd < 0 ? fd : check_folder(fd, name, true, error);
    free(name);
    if (result == 0) {
        result = make_states(fd, error);
    }
    if (result != 0 && fd >= 0) {
        close(fd);
    }
    return result != 0 ? result : fd;
}

int spool_open(const char *spool, const char *application, struct error *error)
{
    int fd = fs_make_directories(spool, error);
    int result = fd < 0 ? fd : check_folder(fd, spool, false, error);

    if (result != 0) {
        if (fd >= 0) {
            close(fd);
        }
        return result;
    }
    return open_application(fd, application, error);
}

static int check_id(const char *id, struct error *error)
{
    if (strlen(id) != 36 || !text_is_uuid(id)) {
        return error_set(error, CAIRN_EINVAL, "\"%.64s\" is not the id of a report.", id);
    }
    return 0;
}

/* Locks the open folder, then makes sure that nobody moved it away in between. Closes it on
 * failure. */
static int lock_folder(int state_fd, int folder, const char *id, struct error *error)
{
    struct stat held, named;
    int result = 0;

    if (flock(folder, LOCK_EX | LOCK_NB) != 0) {
        result =
            errno == EWOULDBLOCK
                ? error_set(error, CAIRN_EBUSY, "Somebody else works on the report %s.", id)
                : error_errno(error, CAIRN_ESYSTEM, errno, "The report %s cannot be locked", id);
    } else if (fstat(folder, &held) != 0 ||
               fstatat(state_fd, id, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
               held.st_ino != named.st_ino || held.st_dev != named.st_dev) {
        result = error_set(error, CAIRN_ENOENT, "The report %s is no longer where it was.", id);
    }
    if (result != 0) {
        close(folder);
    }
    return result != 0 ? result : folder;
}

int spool_create(int application_fd, const char *id, struct error *error)
{
    int incoming, folder, result = check_id(id, error);

    if (result != 0) {
        return result;
    }
    incoming = spool_open_state(application_fd, SPOOL_INCOMING, error);
    if (incoming < 0) {
        return incoming;
    }
    if (mkdirat(incoming, id, 0700) != 0) {
        int number = errno;

        close(incoming);
        return error_errno(error,
                           number == ENOSPC || number == EDQUOT ? CAIRN_ENOSPACE : CAIRN_ESYSTEM,
                           number, "The folder of the report %s cannot be made", id);
    }
    folder = fs_open_directory(incoming, id, error);
    if (folder >= 0) {
        folder = lock_folder(incoming, folder, id, error);
    }
    close(incoming);
    return folder;
}

int spool_lock(int application_fd, enum spool_state state, const char *id, struct error *error)
{
    int state_fd, folder, result = check_id(id, error);

    if (result != 0) {
        return result;
    }
    state_fd = spool_open_state(application_fd, state, error);
    if (state_fd < 0) {
        return state_fd;
    }
    folder = fs_open_directory(state_fd, id, error);
    if (folder >= 0) {
        folder = lock_folder(state_fd, folder, id, error);
    }
    close(state_fd);
    return folder;
}

/* What the folder holds must be on disk before its new place says that the report is complete. */
static int sync_folder(int state_fd, const char *id, struct error *error)
{
    int folder = fs_open_directory(state_fd, id, error);

    if (folder < 0) {
        return folder;
    }
    if (fsync(folder) != 0) {
        int number = errno;

        close(folder);
        return error_errno(error, CAIRN_ESYSTEM, number, "The report %s cannot be synced", id);
    }
    close(folder);
    return 0;
}

static int rename_new(int from_fd, int to_fd, const char *id)
{
    if (renameat2(from_fd, id, to_fd, id, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    /* A file system without the flag; a folder that is not empty is not replaced either way. */
    return errno == EINVAL ? renameat(from_fd, id, to_fd, id) : -1;
}

static int move_between(int from_fd, int to_fd, const char *id, struct error *error)
{
    int result = sync_folder(from_fd, id, error);

    if (result != 0) {
        return result;
    }
    if (rename_new(from_fd, to_fd, id) != 0) {
        return error_errno(error, errno == ENOENT ? CAIRN_ENOENT : CAIRN_ESYSTEM, errno,
                           "The report %s cannot be moved", id);
    }
    /* The new place first: a crash in between leaves the report in both or one, never in none. */
    if (fsync(to_fd) != 0 || fsync(from_fd) != 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno,
                           "The move of the report %s cannot be synced", id);
    }
    return 0;
}

int spool_move(int application_fd, enum spool_state from, enum spool_state to, const char *id,
               struct error *error)
{
    int from_fd, to_fd, result = check_id(id, error);

    if (result != 0) {
        return result;
    }
    from_fd = spool_open_state(application_fd, from, error);
    if (from_fd < 0) {
        return from_fd;
    }
    to_fd = spool_open_state(application_fd, to, error);
    result = to_fd < 0 ? to_fd : move_between(from_fd, to_fd, id, error);
    if (to_fd >= 0) {
        close(to_fd);
    }
    close(from_fd);
    return result;
}

int spool_set_aside(int application_fd, enum spool_state from, const char *id, const char *why,
                    struct error *error)
{
    int state_fd, folder, result = check_id(id, error);

    if (result != 0) {
        return result;
    }
    state_fd = spool_open_state(application_fd, from, error);
    if (state_fd < 0) {
        return state_fd;
    }
    folder = fs_open_directory(state_fd, id, error);
    if (folder >= 0) {
        /* Best effort: the disk may be full, and the move matters more than its reason. */
        fs_replace_file(folder, WHY_FILE, why, strlen(why), NULL);
        close(folder);
    }
    close(state_fd);
    return folder < 0 ? folder : spool_move(application_fd, from, SPOOL_QUARANTINE, id, error);
}

int spool_save(int folder_fd, const struct report *report, struct error *error)
{
    char *json = report_to_json(report);
    size_t bytes;
    int result;

    if (json == NULL) {
        return error_set(error, CAIRN_ENOMEM, "There is not enough memory for the report.");
    }
    bytes = strlen(json);
    json[bytes] = '\n'; /* a text file ends its last line; the NUL is not needed any more */
    result = fs_replace_file(folder_fd, SPOOL_REPORT, json, bytes + 1, error);
    free(json);
    return result;
}

int spool_load(int folder_fd, struct report **ret_report, struct error *error)
{
    char *data;
    size_t bytes;
    int result = fs_read_file(folder_fd, SPOOL_REPORT, REPORT_JSON_LIMIT, &data, &bytes, error);

    if (result == CAIRN_ETOOLONG) {
        return error_set(error, CAIRN_EFORMAT, "%s is larger than %u bytes.", SPOOL_REPORT,
                         REPORT_JSON_LIMIT);
    }
    if (result != 0) {
        return result;
    }
    result = report_from_json(data, bytes, ret_report, error);
    free(data);
    return result;
}

int spool_for_each(int folder_fd, spool_each_fn *each, void *user, struct error *error)
{
    int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* an offset of its own */
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    int result = 0;

    if (stream == NULL) {
        int number = errno;

        if (fd >= 0) {
            close(fd);
        }
        return error_errno(error, CAIRN_ESYSTEM, number, "A folder of the spool cannot be read");
    }
    while (result == 0 && (entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            result = each(folder_fd, entry->d_name, user);
        }
    }
    closedir(stream);
    return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes, names, syncs and discards a report's folder. Runs in the monitor.
 */
#include "core/monitor/incoming.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static void close_if_open(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

void incoming_close(struct incoming *incoming)
{
    close_if_open(&incoming->file);
    close_if_open(&incoming->folder);
    close_if_open(&incoming->parent);
}

void incoming_discard(struct incoming *incoming)
{
    unlinkat(incoming->folder, INCOMING_TEMPORARY, 0);
    unlinkat(incoming->folder, INCOMING_CAPTURE, 0);
    unlinkat(incoming->folder, INCOMING_END, 0);
    unlinkat(incoming->parent, incoming->id, AT_REMOVEDIR);
}

/* The steps of incoming_create() once the folder exists. */
static int fill_folder(struct incoming *incoming)
{
    incoming->folder = openat(incoming->parent, incoming->id, FOLDER_FLAGS);
    if (incoming->folder < 0 || flock(incoming->folder, LOCK_EX | LOCK_NB) != 0) {
        return -errno;
    }
    incoming->file = openat(incoming->folder, INCOMING_TEMPORARY,
                            O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return incoming->file < 0 ? -errno : 0;
}

int incoming_create(int application_folder, const char *id, struct incoming *ret_incoming)
{
    struct incoming incoming = { .parent = -1, .folder = -1, .file = -1 };
    int result = 0;

    snprintf(incoming.id, sizeof(incoming.id), "%s", id);
    incoming.parent = openat(application_folder, INCOMING_FOLDER, FOLDER_FLAGS);
    if (incoming.parent < 0) {
        return -errno;
    }
    if (mkdirat(incoming.parent, id, 0700) != 0) {
        result = -errno;
    } else {
        result = fill_folder(&incoming);
        if (result != 0) {
            unlinkat(incoming.parent, id, AT_REMOVEDIR);
        }
    }
    if (result != 0) {
        incoming_close(&incoming);
        return result;
    }
    *ret_incoming = incoming;
    return 0;
}

int incoming_reserve(const struct incoming *incoming, uint64_t bytes)
{
    if (fallocate(incoming->file, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) != 0 &&
        errno != EOPNOTSUPP && errno != ENOSYS) {
        return -errno;
    }
    return 0;
}

bool incoming_is_unnamed(const struct incoming *incoming)
{
    return faccessat(incoming->folder, INCOMING_TEMPORARY, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int incoming_commit(struct incoming *incoming)
{
    if (renameat(incoming->folder, INCOMING_TEMPORARY, incoming->folder, INCOMING_CAPTURE) != 0) {
        return -errno;
    }
    return 0;
}

int incoming_tell_end(const struct incoming *incoming, const char *text)
{
    size_t bytes = strlen(text);
    int file = openat(incoming->folder, INCOMING_END,
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (file < 0) {
        return -errno;
    }
    ssize_t written = write(file, text, bytes);
    int result = written == (ssize_t)bytes ? 0 : written < 0 ? -errno : -ENOSPC;
    close(file);
    if (result != 0) {
        unlinkat(incoming->folder, INCOMING_END, 0);
    }
    return result;
}

int incoming_unlock(struct incoming *incoming)
{
    /* Another open file of the same folder, because the lock belongs to the first. */
    int folder = openat(incoming->folder, ".", FOLDER_FLAGS);

    close_if_open(&incoming->folder);
    incoming->folder = folder;
    return folder < 0 ? -errno : 0;
}

int incoming_sync(const struct incoming *incoming)
{
    if (fsync(incoming->file) != 0 || fsync(incoming->folder) != 0 ||
        fsync(incoming->parent) != 0) {
        return -errno;
    }
    return 0;
}

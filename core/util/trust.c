/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who could have changed a file: only root and the current user, or somebody else too. For plugins
 * and configurations, whose content decides what our processes do. Every process but the crashed
 * one.
 */
#include "core/util/fs.h"

#include "core/util/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder that others may write is still safe for what it holds when it is sticky (/tmp). */
static bool is_safe(const struct stat *status, const char *name, struct error *error)
{
    bool sticky = S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) != 0;

    if (status->st_uid != 0 && status->st_uid != geteuid()) {
        error_set(error, CAIRN_EPERM,
                  "%s belongs to user %u, but must belong to root or to the current user.", name,
                  (unsigned)status->st_uid);
        return false;
    }
    if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky) {
        error_set(error, CAIRN_EPERM,
                  "%s can be changed by others (mode %04o); remove the write permission with chmod "
                  "go-w.",
                  name, (unsigned)(status->st_mode & 07777));
        return false;
    }
    return true;
}

/* Where the open file lies: the kernel knows, in one call; without a /proc its path is resolved. */
static bool find_place(int fd, const char *path, char real[PATH_MAX])
{
    char link[64];
    ssize_t length;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, real, PATH_MAX - 1);
    if (length > 0 && length < PATH_MAX - 1 && real[0] == '/') {
        real[length] = '\0';
        return true;
    }
    return realpath(path, real) != NULL;
}

static bool parents_are_safe(int fd, const char *path, struct error *error)
{
    char real[PATH_MAX];
    struct stat status;

    if (!find_place(fd, path, real)) {
        error_errno(error, CAIRN_ESYSTEM, errno, "The path %s cannot be resolved", path);
        return false;
    }
    for (char *slash = strrchr(real, '/'); slash != NULL; slash = strrchr(real, '/')) {
        *slash = '\0';
        const char *folder = real[0] != '\0' ? real : "/";

        if (stat(folder, &status) != 0) {
            error_errno(error, CAIRN_ESYSTEM, errno, "The folder %s cannot be examined", folder);
            return false;
        }
        if (!is_safe(&status, folder, error)) {
            return false;
        }
    }
    return true;
}

bool fs_is_trusted(int fd, const char *path, struct error *error)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be examined",
                    path != NULL ? path : "The file");
        return false;
    }
    if (!is_safe(&status, path != NULL ? path : "The file", error)) {
        return false;
    }
    return path == NULL || parents_are_safe(fd, path, error);
}

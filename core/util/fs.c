/* SPDX-License-Identifier: Apache-2.0 */
/* Files below directory descriptors; see fs.h. Every process but the crashed one. */
#include "core/util/fs.h"

#include "core/util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int fs_open_directory(int parent, const char *name, struct error *error)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        int number = errno;

        return error_errno(error, number == ENOENT ? CAIRN_ENOENT : CAIRN_ESYSTEM, number,
                           "The folder %s cannot be opened", name);
    }
    return fd;
}

int fs_make_directory(int parent, const char *name, struct error *error)
{
    if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "The folder %s cannot be made", name);
    }
    return fs_open_directory(parent, name, error);
}

int fs_make_directories(const char *path, struct error *error)
{
    char part[PATH_MAX];
    int fd;

    if (path[0] != '/' || !text_copy(part, sizeof(part), path)) {
        return error_set(error, CAIRN_EINVAL, "The path %s is not absolute or too long.", path);
    }
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            return error_errno(error, CAIRN_ESYSTEM, errno, "The folder %s cannot be made", part);
        }
        *slash = '/';
    }
    if (mkdir(part, 0700) != 0 && errno != EEXIST) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "The folder %s cannot be made", path);
    }
    /* The last component may be a link that an administrator made on purpose. */
    fd = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "The folder %s cannot be opened", path);
    }
    return fd;
}

int fs_read_fd(int fd, const char *name, size_t limit, char **ret_data, size_t *ret_bytes,
               struct error *error)
{
    size_t capacity = 4096, used = 0;
    char *data = malloc(capacity + 1);

    while (data != NULL) {
        ssize_t got = read(fd, data + used, capacity - used);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            int number = errno;

            free(data);
            return error_errno(error, CAIRN_ESYSTEM, number, "%s cannot be read", name);
        }
        used += (size_t)got;
        if (used > limit) {
            free(data);
            return error_set(error, CAIRN_ETOOLONG, "%s is larger than %zu bytes.", name, limit);
        }
        if (got == 0) {
            data[used] = '\0';
            *ret_data = data;
            *ret_bytes = used;
            return 0;
        }
        if (used == capacity) {
            char *larger = realloc(data, capacity * 2 + 1);

            if (larger == NULL) {
                break;
            }
            data = larger;
            capacity *= 2;
        }
    }
    free(data);
    return error_set(error, CAIRN_ENOMEM, "There is not enough memory to read %s.", name);
}

int fs_read_file(int parent, const char *name, size_t limit, char **ret_data, size_t *ret_bytes,
                 struct error *error)
{
    /* Non-blocking, so that a FIFO in the place of the file cannot stop us. */
    int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;
    int result;

    if (fd < 0) {
        int number = errno;

        return error_errno(error, number == ENOENT ? CAIRN_ENOENT : CAIRN_ESYSTEM, number,
                           "%s cannot be opened", name);
    }
    if (fstat(fd, &status) != 0) {
        int number = errno;

        close(fd);
        return error_errno(error, CAIRN_ESYSTEM, number, "%s cannot be examined", name);
    }
    if (!S_ISREG(status.st_mode)) {
        close(fd);
        return error_set(error, CAIRN_EFORMAT, "%s is not a regular file.", name);
    }
    result = fs_read_fd(fd, name, limit, ret_data, ret_bytes, error);
    close(fd);
    return result;
}

int fs_write_all(int fd, const void *data, size_t bytes)
{
    const char *rest = data;

    while (bytes > 0) {
        ssize_t written = write(fd, rest, bytes);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return errno == ENOSPC || errno == EDQUOT ? CAIRN_ENOSPACE : CAIRN_ESYSTEM;
        }
        rest += written;
        bytes -= (size_t)written;
    }
    return 0;
}

int fs_replace_file(int parent, const char *name, const void *data, size_t bytes,
                    struct error *error)
{
    return fs_replace_file_mode(parent, name, 0600, data, bytes, error);
}

int fs_replace_file_mode(int parent, const char *name, mode_t mode, const void *data, size_t bytes,
                         struct error *error)
{
    char temporary[NAME_MAX + 1];
    int fd, code = CAIRN_ESYSTEM, number;

    if (snprintf(temporary, sizeof(temporary), ".%s.%d.tmp", name, (int)getpid()) >=
        (int)sizeof(temporary)) {
        return error_set(error, CAIRN_ETOOLONG, "The file name %s is too long.", name);
    }
    fd = openat(parent, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be created", name);
    }
    if ((code = fs_write_all(fd, data, bytes)) == 0) {
        code = (mode == 0600 || fchmod(fd, mode) == 0) && fsync(fd) == 0 &&
                       renameat(parent, temporary, parent, name) == 0 && fsync(parent) == 0
                   ? 0
                   : CAIRN_ESYSTEM;
    }
    number = errno;
    close(fd);
    if (code != 0) {
        unlinkat(parent, temporary, 0);
        return error_errno(error, code, number, "%s cannot be written", name);
    }
    return 0;
}

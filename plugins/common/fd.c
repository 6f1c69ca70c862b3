/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing to the end; see fd.h. Runs in a step of the engine or the sender. */
#include "plugins/common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int fd_write(int fd, const void *data, size_t bytes)
{
    const char *at = data;

    while (bytes > 0) {
        ssize_t written = write(fd, at, bytes);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return -1;
        }
        at += written;
        bytes -= (size_t)written;
    }
    return 0;
}

ssize_t fd_read(int fd, void *ret_data, size_t bytes, off_t offset)
{
    size_t used = 0;
    ssize_t got = 1;

    while (got != 0 && used < bytes) {
        got = pread(fd, (char *)ret_data + used, bytes - used, offset + (off_t)used);
        if (got < 0 && errno != EINTR) {
            return -1;
        }
        used += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)used;
}

int fd_read_text(int folder, const char *path, int flags, char *ret_text, size_t size)
{
    int fd = openat(folder, path, flags | O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    ssize_t bytes = fd >= 0 ? fd_read(fd, ret_text, size - 1, 0) : -1;
    int number = errno;

    ret_text[bytes > 0 ? bytes : 0] = '\0';
    if (fd >= 0) {
        close(fd);
    }
    errno = number;
    return bytes >= 0 ? 0 : -1;
}

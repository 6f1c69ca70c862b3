/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of /proc/PID; see proc.h. Runs in the monitor. */
#include "core/monitor/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

ssize_t proc_read(int32_t pid, const char *name, char *ret_text, size_t size)
{
    char path[64];
    ssize_t bytes;
    int fd;

    ret_text[0] = '\0';
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    bytes = read(fd, ret_text, size - 1);
    bytes = bytes < 0 ? -errno : bytes;
    close(fd);
    ret_text[bytes > 0 ? bytes : 0] = '\0';
    return bytes;
}

bool proc_has_thread(int32_t pid, int32_t tid)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)pid, (int)(tid != 0 ? tid : pid));
    return access(path, F_OK) == 0;
}
